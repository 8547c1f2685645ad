"""Another version of a provider is a cause: the plan has no trace of it, and the engine updates the provider."""

from __future__ import annotations

import pytest

from ops.diff.completing import completed
from ops.diff.markdown import render
from ops.diff.model import PropertyChange, ResourceChange, StackDiff
from ops.diff.pins import pins_changed, told
from ops.gates.offline import planned_steps
from ops.gates.plan import Plan
from ops.gates.reading import Change, items_of
from policies.inventory import Inventory, Resource

LOCK = """boto3==1.0.0 \\
    --hash=sha256:00
pulumi==3.272.0 \\
    # via
    #   pulumi-aws
pulumi-aws==7.51.1 \\
    --hash=sha256:11
pulumi-gcp==10.2.0 \\
"""
AWS = Resource("urn:pulumi:dev-aws::seawall::pulumi:providers:aws::aws", "pulumi:providers:aws", "aws", True)
HEAD = Inventory("dev-aws", {}, (AWS,), {})


def bumped(**versions: str) -> str:
    """The lock with other versions."""
    text = LOCK
    for name, version in versions.items():
        lines = text.splitlines(keepends=True)
        start = f"{name.replace('_', '-')}=="
        text = "".join(f"{start}{version} \\\n" if line.startswith(start) else line for line in lines)
    return text


def test_each_package_of_pulumi_that_is_pinned_otherwise_is_found_with_its_line() -> None:
    after = bumped(pulumi_aws="7.52.0", boto3="2.0.0") + "pulumi-random==4.0.0 \\\n"
    found = pins_changed(LOCK, after)
    assert [(p.package, p.before, p.after, p.line) for p in found] == [
        ("pulumi-aws", "7.51.1", "7.52.0", 6),
        ("pulumi-random", "", "4.0.0", 9),
    ]
    (gone,) = pins_changed(after, bumped(pulumi_aws="7.52.0"))
    assert (gone.package, gone.after, gone.line) == ("pulumi-random", "", 9)


@pytest.mark.parametrize("before", ["", LOCK])
def test_a_lock_that_is_new_or_says_the_same_is_no_cause(before: str) -> None:
    assert not pins_changed(before, LOCK)
    assert not pins_changed(LOCK, LOCK.replace("sha256:11", "sha256:22"))


def test_a_package_of_one_cloud_is_no_cause_in_the_other() -> None:
    aws, engine = pins_changed(LOCK, bumped(pulumi_aws="8.0.0", pulumi="4.0.0"))[::-1]
    assert aws.concerns("prod-aws") and aws.concerns("bootstrap-aws") and not aws.concerns("prod-gcp")
    assert engine.concerns("prod-aws") and engine.concerns("prod-gcp")


def test_another_version_is_told_as_a_cause_with_the_provider_that_the_engine_updates() -> None:
    diff = told(StackDiff("dev-aws", "both"), HEAD, pins_changed(LOCK, bumped(pulumi_aws="8.0.0")))
    (change,) = diff.changes
    assert (change.action, change.properties) == ("changed", (PropertyChange("version", "7.51.1", "8.0.0"),))
    assert [effect.urn for effect in diff.causes[0].effects] == [AWS.urn]
    text = render([completed(diff, HEAD, HEAD)], base="a", head="b")
    assert "1. `pulumi-aws`: `7.51.1` → `8.0.0` (requirements.lock:6): 1 changed" in text
    assert "shows in the engine's preview alone" in text


def test_what_else_changes_in_the_provider_stays_with_its_own_cause() -> None:
    own = ResourceChange("changed", AWS, (PropertyChange("region", "a", "b"),))
    diff = told(StackDiff("dev-aws", "both", (own,)), HEAD, pins_changed(LOCK, bumped(pulumi_aws="8.0.0")))
    assert [p.path for p in diff.changes[0].properties] == ["region", "version"]
    assert diff.causes[0].effects[0].paths == ("version",)


def test_a_package_without_a_provider_in_the_stack_is_told_all_the_same() -> None:
    diff = told(StackDiff("dev-aws", "both"), HEAD, pins_changed(LOCK, bumped(pulumi="4.0.0")))
    assert not diff.changes and not diff.is_empty
    assert "`pulumi` (`3.272.0` → `4.0.0`)" in render([completed(diff, HEAD, HEAD)], base="a", head="b")


def test_an_approval_of_the_change_is_void_with_another_version() -> None:
    plans = [
        Plan("dev-aws", "offline", planned_steps(diff), items_of(Change(diff)))
        for version in ("8.0.0", "8.0.1")
        for diff in [told(StackDiff("dev-aws", "both"), HEAD, pins_changed(LOCK, bumped(pulumi_aws=version)))]
    ]
    assert plans[0].items and plans[0].fingerprint != plans[1].fingerprint
