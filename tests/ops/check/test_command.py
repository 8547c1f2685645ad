"""`seawall check` says the same by its exit code however much it prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from common.errors import UserError
from ops.check.command import check, check_inventories, waived_elsewhere
from ops.check.report import as_text
from policies.inventory import Inventory, Resource
from policies.waivers import Waiver
from stacks.promises import promises
from stacks.settings import Settings, stack_file
from tests.ops.check import toys

Run = Callable[..., Result]
NEXT_WEEK = date.today() + timedelta(days=7)


@pytest.fixture
def run(no_waivers: Path) -> Run:
    """Runs the command without waivers."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(check)

    def invoke(*arguments: object, waivers: Path = no_waivers) -> Result:
        result = CliRunner().invoke(app, [*map(str, arguments), "--waivers", str(waivers)])
        if isinstance(result.exception, UserError):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[[Inventory], Path]:
    """A plan file with one stack."""

    def write(inventory: Inventory) -> Path:
        path = tmp_path / f"{inventory.stack}.json"
        path.write_text(json.dumps(inventory.to_json()))
        return path

    return write


@pytest.mark.parametrize(
    "quiet",
    [(), ("--quiet",), ("--format", "json"), ("--quiet", "--format", "github"), ("-f", "markdown"), ("--details",)],
)
def test_a_violation_exits_with_1_whatever_is_printed(run: Run, plan_file: Path, quiet: tuple[str, ...]) -> None:
    assert run("--plan", plan_file, *quiet).exit_code == 1


@pytest.mark.parametrize("quiet", [(), ("--quiet",), ("--format", "json"), ("--format", "sarif")])
def test_a_clean_stack_exits_with_0_whatever_is_printed(run: Run, plan_file: Path, quiet: tuple[str, ...]) -> None:
    assert run("dev-gcp", "--plan", plan_file, *quiet).exit_code == 0


def test_quiet_and_clean_prints_nothing(run: Run, plan_file: Path) -> None:
    assert run("dev-gcp", "--plan", plan_file, "--quiet").stdout == ""


def test_quiet_still_prints_the_violation(run: Run, plan_file: Path) -> None:
    assert toys.RULE in run("--plan", plan_file, "-q").stdout


def test_a_violation_is_printed_with_what_was_found_required_and_to_be_done(run: Run, plan_file: Path) -> None:
    printed = run("--plan", plan_file).stdout
    for expected in ("HIGH", toys.PATH, f'"{toys.BAD}"', "required", "remedy", "urn:pulumi:dev-aws::seawall"):
        assert expected in printed


def test_json_is_one_document_with_version_date_and_rules(run: Run, plan_file: Path) -> None:
    document = json.loads(run("--plan", plan_file, "--format", "json").stdout)
    assert set(document) == {"schema", "tool", "date", "verdict", "rules", "stacks", "waiver_problems"}
    assert [stack["verdict"] for stack in document["stacks"]] == ["fail", "pass"]


def test_standard_input_is_a_plan_too(run: Run, clean: Inventory, no_waivers: Path) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(check)
    given = json.dumps(clean.to_json())
    result = CliRunner().invoke(app, ["--plan", "-", "--waivers", str(no_waivers)], input=given)
    assert result.exit_code == 0


def test_a_broken_waivers_file_is_a_user_error_before_anything_is_judged(
    run: Run, plan_file: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("waivers: [")
    with pytest.raises(UserError, match=r"."):
        run("--plan", plan_file, waivers=broken)


def _waivers(folder: Path, violating: Inventory, **fields: str) -> Path:
    entry = {
        "rule": toys.RULE,
        "stack": "dev-aws",
        "urn": violating.resources[0].urn,
        "reason": "shown to partners until the summer",
        "owner": "ml-platform",
        "expires": str(NEXT_WEEK),
        **fields,
    }
    path = folder / "waivers.yaml"
    path.write_text("waivers:\n- {" + ", ".join(f"{k}: {v}" for k, v in entry.items()) + "}\n")
    return path


def test_a_waived_violation_is_listed_with_owner_and_date_and_passes(
    run: Run, plan_file: Path, tmp_path: Path, violating: Inventory
) -> None:
    result = run("--plan", plan_file, waivers=_waivers(tmp_path, violating))
    assert result.exit_code == 0
    for expected in ("ml-platform", str(NEXT_WEEK), "shown to partners until the summer"):
        assert expected in result.stdout


@pytest.mark.parametrize(
    "fields",
    [
        {"expires": "2020-01-01"},
        {"expires": "2999-01-01"},
        {"owner": "todo"},
        {"reason": '""'},
        {"rule": "other"},
        {"stack": "x"},
    ],
)
@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_an_invalid_waiver_exits_with_1_and_is_listed(
    run: Run,
    plan_of: Callable[[Inventory], Path],
    tmp_path: Path,
    clean: Inventory,
    fields: dict[str, str],
    quiet: tuple[str, ...],
) -> None:
    result = run("--plan", plan_of(clean), *quiet, waivers=_waivers(tmp_path, clean, **fields))
    assert result.exit_code == 1 and "Invalid waivers" in result.stdout


def test_an_opt_out_is_printed_with_its_reason(
    run: Run, plan_of: Callable[[Inventory], Path], clean: Inventory
) -> None:
    settings = {**clean.settings, "opt_outs": {"deletion_protection": "made and destroyed each night"}}
    printed = run("--plan", plan_of(Inventory(clean.stack, settings, clean.resources))).stdout
    assert "deletion_protection: made and destroyed each night" in printed


def test_what_is_unknown_is_told_and_passes_outside_production(
    run: Run, plan_of: Callable[[Inventory], Path], undecided: Inventory
) -> None:
    result = run("--plan", plan_of(undecided))
    assert result.exit_code == 0 and "Unknown until the provider answers" in result.stdout


def test_what_is_unknown_fails_in_production(
    run: Run, plan_of: Callable[[Inventory], Path], undecided: Inventory
) -> None:
    production = {**undecided.settings, "environment": "prod"}
    result = run("--plan", plan_of(Inventory("prod-aws", production, undecided.resources)))
    assert result.exit_code == 1 and "unknown, which fails in production" in result.stdout


def test_a_report_that_cannot_be_written_is_refused_before_the_plan_is_read(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the folder does not exist"):
        run("--plan", tmp_path / "none.jsonl", "-f", f"sarif={tmp_path / 'no-such-folder' / 'x.sarif'}")


def test_waivers_that_are_named_and_missing_are_refused(run: Run, plan_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file of waivers") as refused:
        run("--plan", plan_file, waivers=tmp_path / "nope.yaml")
    assert refused.value.where == str(tmp_path / "nope.yaml")


def test_a_misspelt_stack_is_a_user_error_that_names_the_right_one(run: Run) -> None:
    with pytest.raises(UserError) as refused:
        run("dev-asw")
    assert "dev-aws" in refused.value.remedy


def test_several_formats_are_written_in_one_run(run: Run, plan_file: Path, tmp_path: Path) -> None:
    files = {name: tmp_path / f"a.{name}" for name in ("sarif", "junit", "json", "github", "markdown")}
    asked = [option for name, file in files.items() for option in ("--format", f"{name}={file}")]
    printed = run("--plan", plan_file, *asked, "--format", "text").stdout
    assert printed == f"{run('--plan', plan_file).stdout}"
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith((".", "a."))) == sorted(
        file.name for file in files.values()
    )
    assert json.loads(files["sarif"].read_text())["version"] == "2.1.0"
    assert json.loads(files["json"].read_text())["verdict"] == "fail"
    assert files["junit"].read_text().startswith("<?xml")
    assert files["github"].read_text().startswith("::error ")
    assert files["markdown"].read_text().startswith("## Policy check: **FAIL**")


def test_what_goes_to_a_file_is_not_printed(run: Run, plan_file: Path, tmp_path: Path) -> None:
    result = run("--plan", plan_file, "--format", "sarif", "--output", tmp_path / "a.sarif")
    assert (result.stdout, result.exit_code) == ("", 1) and (tmp_path / "a.sarif").exists()


def test_the_old_options_are_gone(run: Run, plan_file: Path) -> None:
    for old in ("--json", "--sarif", "--junit"):
        assert run("--plan", plan_file, old).exit_code == 2


@pytest.mark.parametrize("kept", [(), "components"])
def test_a_plan_with_nothing_to_judge_is_an_error_and_no_pass(
    run: Run, plan_of: Callable[[Inventory], Path], clean: Inventory, kept: str
) -> None:
    group = Resource("urn:pulumi:dev-aws::seawall::seawall:aws:Keys::keys", "seawall:aws:Keys", "keys", custom=False)
    provider = replace(group, type="pulumi:providers:aws", custom=True)
    with pytest.raises(UserError, match="no resources") as refused:
        run("--plan", plan_of(replace(clean, resources=(group, provider) if kept else ())))
    assert "dev-aws" in refused.value.where


@pytest.mark.parametrize("fields", [{"expires": "2020-01-01"}, {"owner": "n/a"}, {"rule": "other"}])
def test_an_invalid_waiver_of_another_stack_fails_the_check_of_this_one(
    run: Run, plan_of: Callable[[Inventory], Path], tmp_path: Path, clean: Inventory, fields: dict[str, str]
) -> None:
    other = replace(clean, stack="nightly-aws")
    file = _waivers(tmp_path, other, stack="nightly-aws", **fields)
    result = run("dev-aws", "--plan", plan_of(clean), waivers=file)
    assert result.exit_code == 1 and "nightly-aws" in result.stdout


def test_a_waiver_that_matches_nothing_is_found_when_another_stack_is_checked(
    clean: Inventory, plans: dict[str, Inventory]
) -> None:
    other = plans["dev-gcp"]
    stale = Waiver(
        "k8s-service-inside-only",
        "dev-gcp",
        NEXT_WEEK,
        "urn:pulumi:dev-gcp::seawall::kubernetes:core/v1:Service::gone",
        reason="shown to partners until the summer",
        owner="ml-platform",
    )
    report = check_inventories([clean], [stale], date.today(), [other])
    assert [verdict.stack for verdict in report.verdicts] == ["dev-aws"]
    assert [(p.waiver, "matches no resource" in p.problem) for p in report.stray_waivers] == [(stale, True)]
    assert not report.passed


def test_the_stacks_with_waivers_are_planned_though_others_are_asked_for(clean: Inventory) -> None:
    sound = Waiver(
        "k8s-service-inside-only",
        "dev-gcp",
        NEXT_WEEK,
        type="kubernetes:core/v1:Service",
        name="triton",
        reason="shown to partners until the summer",
        owner="ml-platform",
    )
    stacks = ("dev-aws", "dev-gcp", "no-such-stack", "dev-gcp")
    waivers = [*(replace(sound, stack=stack) for stack in stacks), replace(sound, stack="prod-gcp", owner="")]
    assert waived_elsewhere(waivers, [clean], date.today()) == ("dev-gcp",)


NASTY = "a\x1b[31m\ud800\r\n::error::%0A x\u2028y"


@pytest.mark.parametrize("name", ["text", "json", "sarif", "junit", "github", "markdown"])
def test_any_text_in_a_plan_can_be_written(
    run: Run, plan_of: Callable[[Inventory], Path], violating: Inventory, tmp_path: Path, name: str
) -> None:
    nasty = replace(violating.resources[0], name=NASTY, urn=f"{violating.resources[0].urn}{NASTY}")
    out = tmp_path / "out"
    run("--plan", plan_of(replace(violating, resources=(nasty,))), "--format", f"{name}={out}")
    written = out.read_text(encoding="utf-8")
    assert "\x1b" not in written and "\u2028" not in written
    assert not [line for line in written.splitlines() if line.startswith("::error::")]


def test_the_report_says_what_a_stack_promises_of_recovery_and_judges_it_not(clean: Inventory) -> None:
    settings = Settings.load(stack_file("dev-aws"))
    told = promises(settings.cloud, settings.feature_store, settings.backup)
    report = check_inventories([replace(clean, settings=settings.model_dump(mode="json"))], (), date(2026, 1, 1))
    assert report.passed == check_inventories([clean], (), date(2026, 1, 1)).passed
    assert report.to_json()["stacks"][0]["recovery"] == [promise.to_json() for promise in told]
    assert all(f"    {promise}" in as_text(report).splitlines() for promise in told)
