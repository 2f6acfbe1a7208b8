"""A small organisation and a small procedure to try commands on: a purchase, asked for, approved and ordered."""

from __future__ import annotations

from pathlib import Path

ORGANISATION = """\
organisation: flow/1
units:
  - {id: head, name: 总部}
  - {id: office-1, name: 第一管理处, parent: head}
  - {id: office-2, name: 第二管理处, parent: head}
roles:
  - {id: clerk, name: 客服助理}
  - {id: manager, name: 项目总经理}
people:
  - {id: wang.fang, name: 王芳, system_user: wang, roles: [{role: clerk, unit: office-1}]}
  - {id: li.lei, name: 李雷, system_user: li, roles: [{role: clerk, unit: office-1}, {role: manager, unit: office-1}]}
  - {id: zhao.min, name: 赵敏, system_user: zhao, roles: [{role: manager, unit: head}], may: [act-for, assign]}
  - {id: sun.yue, name: 孙悦, system_user: sun, roles: [{role: clerk, unit: office-2}]}
substitutes:
  - {person: zhao.min, substitute: sun.yue, from: "2026-09-14", to: "2026-09-18"}
"""

DIAGRAM = """\
<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="http://example.org/purchase" id="purchase_file">
  <collaboration id="pool"><participant id="office" name="采购" processRef="purchase"/></collaboration>
  <message id="delivered" name="delivered"/>
  <process id="purchase" isExecutable="true">
    <laneSet id="lanes">
      <lane id="clerk" name="客服助理"><flowNodeRef>asked</flowNodeRef><flowNodeRef>request</flowNodeRef>
        <flowNodeRef>arrival</flowNodeRef><flowNodeRef>over</flowNodeRef></lane>
      <lane id="manager" name="项目总经理"><flowNodeRef>approve</flowNodeRef><flowNodeRef>agreed</flowNodeRef></lane>
    </laneSet>
    <startEvent id="asked" name="提出"><outgoing>f1</outgoing></startEvent>
    <userTask id="request" name="填写采购申请" camunda:formKey="request">
      <extensionElements><camunda:properties>
        <camunda:property name="flow.due" value="P3WD"/>
      </camunda:properties></extensionElements>
      <incoming>f1</incoming><incoming>f4</incoming><outgoing>f2</outgoing>
    </userTask>
    <userTask id="approve" name="审批采购申请" camunda:formKey="approve">
      <extensionElements><camunda:properties>
        <camunda:property name="flow.due" value="P1WD"/>
        <camunda:property name="flow.not-same-as" value="request"/>
      </camunda:properties></extensionElements>
      <incoming>f2</incoming><outgoing>f3</outgoing>
    </userTask>
    <exclusiveGateway id="agreed" name="同意？" default="f4">
      <incoming>f3</incoming><outgoing>f5</outgoing><outgoing>f4</outgoing>
    </exclusiveGateway>
    <intermediateCatchEvent id="arrival" name="到货">
      <incoming>f5</incoming><outgoing>f6</outgoing><messageEventDefinition id="m1" messageRef="delivered"/>
    </intermediateCatchEvent>
    <endEvent id="over" name="完成"><incoming>f6</incoming></endEvent>
    <sequenceFlow id="f1" sourceRef="asked" targetRef="request"/>
    <sequenceFlow id="f2" sourceRef="request" targetRef="approve"/>
    <sequenceFlow id="f3" sourceRef="approve" targetRef="agreed"/>
    <sequenceFlow id="f4" name="退回" sourceRef="agreed" targetRef="request"/>
    <sequenceFlow id="f5" name="同意" sourceRef="agreed" targetRef="arrival">
      <conditionExpression xsi:type="tFormalExpression">decision == 'agree'</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="f6" sourceRef="arrival" targetRef="over"/>
  </process>
</definitions>
"""

PROCEDURE = """\
procedure: flow/1
id: purchase
code: P-1
title: {zh: 物资采购, en: Purchase}
process: purchase
"""

FORMS = {
    "request": """\
form: flow/1
id: request
version: "1"
title: {zh: 采购申请, en: Request}
fields:
  - {id: what, type: text, required: true, label: {zh: 物资名称, en: What}}
  - {id: amount, type: integer, required: true, min: 1, max: 10000, label: {zh: 金额（元）, en: Amount}}
""",
    "approve": """\
form: flow/1
id: approve
version: "1"
title: {zh: 采购审批, en: Approval}
fields:
  - {id: decision, type: choice, required: true, label: {zh: 审批意见, en: Decision},
     options: [{value: agree, label: {zh: 同意, en: Agree}}, {value: refuse, label: {zh: 退回, en: Refuse}}]}
  - {id: reason, type: long_text, required: true, label: {zh: 退回原因, en: Reason}, show_if: {decision: {eq: refuse}}}
""",
}


def furnish(workspace: Path) -> None:
    """Put the organisation and the undrawn procedure into a workspace's folder."""
    (workspace / "org.yaml").write_text(ORGANISATION, encoding="utf-8")
    folder = workspace / "processes" / "purchase"
    folder.mkdir(parents=True)
    (folder / "purchase.bpmn").write_text(DIAGRAM, encoding="utf-8")
    (folder / "procedure.yaml").write_text(PROCEDURE, encoding="utf-8")
    forms = workspace / "forms" / "purchase"
    forms.mkdir(parents=True)
    for name, text in FORMS.items():
        (forms / f"{name}.yaml").write_text(text, encoding="utf-8")
