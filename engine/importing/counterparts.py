"""What has no effect here, and what has no counterpart and has to be done otherwise."""

from __future__ import annotations

from collections.abc import Mapping

NO_EFFECT = "It says nothing about the course here"

STAYS = frozenset(
    {
        *("asyncBefore", "asyncAfter", "exclusive", "jobPriority", "isStartableInTasklist", "versionTag"),
        *("modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon", "historyTimeToLive"),
    }
)
"""Attributes without effect that `check` lets stand."""

WITHOUT_EFFECT = frozenset(
    {
        *("async", "asyncLeave", "taskPriority", "category", "formFieldValidation", "formRefBinding"),
        *("formRefVersion", "diagramRelationId", "variableEvents", "variableName", "initiator"),
        *("retries", "candidateStarterGroups", "candidateStarterUsers", "isEagerExecutionFetch"),
        *("sameDeployment", "inheritBusinessKey", "useLocalScopeForResultVariable", "validateFormFields"),
    }
)
"""Attributes without effect that are taken out, so that nobody believes in them."""

EXTENSIONS_WITHOUT_EFFECT = frozenset({"failedJobRetryTimeCycle", "potentialStarter", "customResource"})

_CODE = (
    "What the task does is code of the other engine",
    "Write it as a function in tasks/, name it in the property flow.handler, delete the attribute",
)
_SENT = (
    "Nothing is called here: the message itself is sent",
    "Delete the attribute; if more than a message is meant, make it a service task",
)
_CODE_ATTRIBUTES = (
    *("class", "delegateExpression", "expression", "type", "topic", "resultVariable", "resultVariableName"),
    *("mapDecisionResult", "decisionRefBinding", "decisionRefVersion", "caseRef"),
    *("rules", "ruleVariablesInput", "storeResultVariableAsTransient", "triggerable"),
)
REFUSED: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(_CODE_ATTRIBUTES, _CODE),
    "candidateUsers": (
        "Here a role does a task, not a list of people",
        "Give them a role in org.yaml and put the task into its lane, then delete the attribute",
    ),
    "followUpDate": (
        "A reminder counts back from the due date here",
        "Write the property flow.remind, as in `P1D before due`, and delete the attribute",
    ),
    "skipExpression": (
        "A step is not skipped by an expression here",
        "Draw a gateway with a branch around the step, and delete the attribute",
    ),
}
"""Attributes that have to be done otherwise: reason and remedy."""
OTHER_ATTRIBUTE = (
    "This attribute has no counterpart here",
    "Delete it, once what it did is done otherwise",
)

_LISTENER = (
    "Nothing is run here beside the steps that are drawn",
    "Draw what it does as a service task, or take it out if it only records: the history does that",
)
REFUSED_EXTENSIONS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("executionListener", "taskListener", "eventListener"), _LISTENER),
    **dict.fromkeys(
        ("formData", "formProperty"),
        (
            "A start has no form here: whoever starts gives the variables",
            "Put a user task with these fields behind the event, and delete them here",
        ),
    ),
}
"""Extension elements likewise."""
OTHER_EXTENSION = (
    "This extension has no counterpart here",
    "Delete it, once what it did is done otherwise",
)

EDITORS = frozenset({"http://activiti.com/modeler", "http://org.eclipse.bpmn2/ext"})
"""Namespaces of remarks that editors of other engines leave for themselves."""

ZEEBE_STAYS = frozenset({"properties", "versionTag"})
ZEEBE_WITHOUT_EFFECT = frozenset({"userTask", "priorityDefinition", "modelerTemplate"})
ZEEBE: Mapping[str, str] = {
    "taskDefinition": "Write a function in tasks/ and name it in the property flow.handler",
    "assignmentDefinition": "Write camunda:assignee, or put the task into the lane of a role",
    "formDefinition": "Write the form as forms/{procedure}/NAME.yaml and name it in camunda:formKey",
    "taskSchedule": "Write the property flow.due",
    "calledElement": "Write the process's id in calledElement",
    "loopCharacteristics": "Write loopDataInputRef and inputDataItem, or the property flow.collection",
    "ioMapping": "On a call activity write flow.in and flow.out, elsewhere a script",
    "subscription": "Write the property flow.key",
    "script": "Write a script as lines of name = value",
    "calledDecision": "Write the decision's id in camunda:decisionRef",
}
"""Extension elements of Camunda 8, with what to write by hand."""


def refused(name: str, tag: str) -> tuple[str, str]:
    """Reason and remedy for an attribute that is on an element of this tag."""
    if name in _CODE_ATTRIBUTES and tag not in ("serviceTask", "businessRuleTask"):
        return _SENT if "send" in tag.lower() or "message" in tag.lower() else OTHER_ATTRIBUTE
    return REFUSED.get(name, OTHER_ATTRIBUTE)
