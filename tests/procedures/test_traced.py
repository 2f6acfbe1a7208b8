"""Every number of the acceptance list, as far as its procedures stand, is traced to something that runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import cli
from tests.procedures.shipped import ACCEPTANCE


@pytest.fixture(scope="module")
def traced() -> list[dict[str, Any]]:
    env = {"FLOW_LANG": "zh", "FLOW_HOME": "/nowhere"}
    result = CliRunner().invoke(cli.flow, ["procedure", "trace", "--json"], env=env)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_every_must_names_what_fulfils_it_and_a_scenario(traced: list[dict[str, Any]]) -> None:
    loose = [
        each["clause"]
        for each in traced
        if each["level"] == "must" and not ((each["elements"] or each["rules"]) and each["scenarios"])
    ]
    assert loose == []


def test_every_number_of_the_acceptance_list_is_traced_with_its_level(traced: list[dict[str, Any]]) -> None:
    if not ACCEPTANCE.exists():
        pytest.skip(
            "SKIPPED: the acceptance list is not beside the clone, so nothing says whether a number is missing"
        )
    listed = yaml.load(ACCEPTANCE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    standing = {each["clause"].rpartition("-")[0] for each in traced}
    wanted = {
        (requirement["id"], requirement["level"])
        for procedure in listed
        if procedure["code"] in standing
        for requirement in procedure["requirements"]
    }
    assert {"003G", "000A", "004B", "004G"} <= standing
    assert {(each["clause"], each["level"]) for each in traced} == wanted
