"""The one door to SpiffWorkflow: diagrams read into specs, and instances moved along them.

`reader` turns BPMN XML into plain values, `rules` says what is refused and why, `specs` builds
SpiffWorkflow task specs from the values, `run` moves one instance, `state` writes and reads the live part.
No SpiffWorkflow type leaves this package.
"""
