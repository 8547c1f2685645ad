"""The coverage table gives each control the worst verdict of its rules, and leaves none out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from common.errors import UserError
from ops.check.command import check, check_inventories
from ops.check.coverage import Table, as_json, as_markdown, as_text, catalogue_named, tabled
from ops.check.markdown import COMMENT_LIMIT
from policies.controls import catalogues
from policies.inventory import Inventory
from policies.model import Verdict

TODAY = date(2026, 6, 1)


def table(name: str, *inventories: Inventory) -> Table:
    return tabled(catalogue_named(name), check_inventories(inventories, (), TODAY))


def verdicts(told: Table) -> dict[str, Verdict | None]:
    return {row.control.id: row.verdict for row in told.rows}


def with_open_nodes(plan: Inventory) -> Inventory:
    """The plan with machines that have public addresses."""
    return replace(
        plan,
        resources=tuple(
            replace(r, inputs={**r.inputs, "privateClusterConfig": {"enablePrivateNodes": False}})
            if r.type == "gcp:container/cluster:Cluster"
            else r
            for r in plan.resources
        ),
    )


@pytest.mark.parametrize("name", list(catalogues()))
def test_every_control_has_a_row_and_committed_stacks_fail_none(plans: dict[str, Inventory], name: str) -> None:
    told = table(name, *plans.values())
    assert [row.control for row in told.rows] == list(catalogues()[name].controls)
    assert Verdict.FAIL not in verdicts(told).values() and Verdict.PASS in verdicts(told).values()


def test_a_control_fails_with_any_of_its_rules_and_says_where(plans: dict[str, Inventory]) -> None:
    told = table("cis-gke", plans["dev-gcp"], with_open_nodes(plans["prod-gcp"]))
    assert verdicts(told)["5.6.5"] is Verdict.FAIL and verdicts(told)["5.5.4"] is Verdict.PASS
    (row,) = [row for row in told.rows if row.control.id == "5.6.5"]
    assert {stack for stack, _ in row.violations} == {"prod-gcp"}
    text = as_text(told)
    assert "FAIL prod-gcp  gcp-gke-private-nodes" in text
    assert "**FAIL**: prod-gcp: `gcp-gke-private-nodes`" in as_markdown(told).replace("\\-", "-")


def test_stacks_of_another_cloud_are_left_out_and_named(plans: dict[str, Inventory]) -> None:
    told = table("cis-gke", plans["prod-gcp"], plans["prod-aws"])
    assert (told.stacks, told.left_out) == (("prod-gcp",), ("prod-aws",))
    assert "Not about prod-aws" in as_text(told)


def test_without_a_stack_of_its_cloud_nothing_passes(plans: dict[str, Inventory]) -> None:
    told = table("cis-gke", plans["prod-aws"])
    assert set(verdicts(told).values()) == {None, Verdict.NOT_APPLICABLE}


def test_violations_that_the_framework_does_not_name_are_counted(
    plans: dict[str, Inventory], violating: Inventory
) -> None:
    told = table("cis-gke", plans["prod-gcp"], violating)
    assert told.elsewhere == 1 and "1 violations are of rules or stacks" in as_text(told)


def test_what_is_not_covered_says_why(plans: dict[str, Inventory]) -> None:
    text = as_text(table("cis-gke", plans["prod-gcp"]))
    assert "not covered: Google makes and updates the machine's image" in text
    assert " controls have rules: " in text and " not yet." in text


def test_the_document_has_the_same_rows(plans: dict[str, Inventory]) -> None:
    report = check_inventories([plans["prod-gcp"]], (), TODAY)
    told = as_json(tabled(catalogue_named("nist-800-53"), report), report)
    assert json.loads(json.dumps(told)) == told
    assert sum(told["counts"].values()) == len(told["controls"])
    assert {control["verdict"] for control in told["controls"]} == {"pass", "not_applicable", None}


@pytest.mark.parametrize("name", list(catalogues()))
def test_the_markdown_fits_into_a_comment(plans: dict[str, Inventory], name: str) -> None:
    assert len(as_markdown(table(name, *plans.values()))) <= COMMENT_LIMIT


def run(*arguments: object) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(check)
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if isinstance(result.exception, UserError):
        raise result.exception
    return result


@pytest.mark.parametrize("name", ["text", "json", "markdown"])
def test_the_command_prints_the_table_and_ends_as_the_whole_check(
    plan_file: Path, no_waivers: Path, name: str
) -> None:
    result = run("--plan", plan_file, "--waivers", no_waivers, "--framework", "soc2", "--format", name)
    assert result.exit_code == 1 and "CC6.6" in result.stdout.replace("\\", "")


def test_an_unknown_framework_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UserError, match="no framework 'cis'") as refused:
        run("--framework", "cis")
    assert "cis-gke" in refused.value.remedy


def test_a_format_that_has_no_table_is_refused() -> None:
    with pytest.raises(UserError, match="no format 'sarif' here"):
        run("--framework", "cis-gke", "--format", "sarif")
