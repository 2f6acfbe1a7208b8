"""The small signs inside shapes (BPMN 2.0.2, clauses 10.3 to 10.6), as pieces of SVG drawn for this program.

Icons of tasks stand in a box of 16 pixels; those of events are centred on the origin, and `class="x"` in them
becomes an outline for what is caught and a filled form for what is thrown.
"""

from __future__ import annotations

TASK_ICONS = {
    "userTask": '<circle class="i" cx="8" cy="4.5" r="3.3"/><path class="i" d="M1.5 15v-2.5q0-4 4-4h5q4 0 4 4V15z"/>',
    "manualTask": (
        '<path class="i" d="M1.5 8.5 6 3.5h3L7 6.5h7.5v2H9.5h4.5v2H9.5h4v2H9.5h3v1.9H6q-2 0-4.5-1.9z"/>'
    ),
    "serviceTask": (
        '<circle class="i" cx="8" cy="8" r="2.4"/><circle class="i" cx="8" cy="8" r="5.2"/>'
        '<path class="i" d="M8 .8v2M8 13.2v2M.8 8h2M13.2 8h2M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4'
        'M2.9 13.1l1.4-1.4M11.7 4.3l1.4-1.4"/>'
    ),
    "scriptTask": (
        '<path class="i" d="M4 1.5h9q-3.5 3.5-1 6.5t-1 6.5H2q3.5-3.5 1-6.5t1-6.5zM5.5 5h4M6 8h4.5M6 11h4"/>'
    ),
    "businessRuleTask": (
        '<path class="i" d="M1 2.5h14v11H1zM1 9.8h14M5 6v7.5"/><path class="f" d="M1 2.5h14V6H1z"/>'
    ),
    "sendTask": '<path class="f" d="M1 3h14L8 8.5zM1 5v8h14V5L8 10.5z"/>',
    "receiveTask": '<path class="i" d="M1 3h14v10H1zl7 5.5L15 3"/>',
}

EVENT_ICONS = {
    "timerEventDefinition": (
        '<circle class="i" r="9.5"/><path class="i" d="M0-6V0L4.5 2.5M0-9.5v2M0 9.5v-2M-9.5 0h2M9.5 0h-2"/>'
    ),
    "messageEventDefinition": '<path class="x" d="M-9-6H9V6H-9z"/><path class="i" d="M-9-6 0 1 9-6"/>',
    "errorEventDefinition": '<path class="x" d="M-8 7-3.5-7 2.5 1.5 8-7 3.5 7-2-1.5z"/>',
    "signalEventDefinition": '<path class="x" d="M0-8 8.5 6.5h-17z"/>',
    "escalationEventDefinition": '<path class="x" d="M0-9 7 8 0 1.5-7 8z"/>',
    "conditionalEventDefinition": (
        '<path class="i" d="M-6.5-8.5h13v17h-13zM-3.5-4.5h7M-3.5-1.2h7M-3.5 2.2h7M-3.5 5.5h7"/>'
    ),
    "compensateEventDefinition": '<path class="x" d="M0-6V6L-8.5 0zM8-6V6L0 0z"/>',
    "cancelEventDefinition": '<path class="x" d="M-8-5-5-8 0-3 5-8 8-5 3 0 8 5 5 8 0 3-5 8-8 5-3 0z"/>',
    "linkEventDefinition": '<path class="x" d="M-8-3.5H1V-7L8.5 0 1 7V3.5h-9z"/>',
    "terminateEventDefinition": '<circle class="f" r="10"/>',
}

_MARKERS = {
    "exclusiveGateway": '<path class="bold i" d="M-7-8 7 8M7-8-7 8" style="stroke-width:3"/>',
    "parallelGateway": '<path class="i" d="M0-11V11M-11 0H11" style="stroke-width:3"/>',
    "inclusiveGateway": '<circle class="i" r="10.5" style="stroke-width:2.5"/>',
    "complexGateway": '<path class="i" d="M0-11V11M-11 0H11M-8-8 8 8M8-8-8 8" style="stroke-width:2.5"/>',
    "eventBasedGateway": (
        '<circle class="i" r="13"/><circle class="i" r="10.5"/>'
        '<path class="i" d="M0-6.5 6.5-1.5 4 6h-8l-2.5-7.5z"/>'
    ),
    "parallel": '<path class="i" d="M-4-6V6M0-6V6M4-6V6" style="stroke-width:2"/>',
    "sequential": '<path class="i" d="M-6-4H6M-6 0H6M-6 4H6" style="stroke-width:2"/>',
    "loop": '<path class="i" d="M-2.5 5.5A6 6 0 1 1 2.5 5.5M-2.5 5.5-6.5 5M-2.5 5.5-2 1.5"/>',
    "plus": '<path class="i" d="M-7-7H7V7H-7zM0-4.5v9M-4.5 0h9"/>',
}


def marker(name: str, x: float, y: float) -> str:
    """The sign of a gateway or of a repeated or folded activity, centred at a point."""
    return f'<g transform="translate({x:g} {y:g})">{_MARKERS.get(name, "")}</g>'
