"""Decides from a drill's predicate alone whether the restore is proven: before signing, and whenever it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final, TypeGuard

from ops.drill.model import SCHEMA_VERSION, Check, Predicate
from ops.drill.requirements import REQUIREMENTS, Requirements
from ops.drill.rules import RULES, is_figure, told

CLOCK_GRAIN_S: Final = 0.01
"""Figures are written with three decimals: sums of them may differ by this."""

IN_ACCOUNTS: Final = "restore-test"
"""The only scenario that loses nothing, and so runs in a real cloud."""
_SAME: Final = ("name", "subject", "rule", "expected")
"""What a control's checks have in common, with the fault and without it."""


def findings(predicate: Predicate) -> tuple[str, ...]:
    """Everything that keeps the restore from being proven, in plain sentences; none if it is.

    Computed from the predicate alone: a verdict or a `passed` that it claims counts for nothing, and is a finding
    where it is not what its figures say.
    """
    if predicate.get("schema_version") != SCHEMA_VERSION:
        return (f"schema version {told(predicate.get('schema_version'))} is not {SCHEMA_VERSION}",)
    required = REQUIREMENTS.get(str(predicate.get("scenario")))
    if required is None:
        return (f"the scenario {told(predicate.get('scenario'))} is not known",)
    if predicate.get("mode") not in ("real", "emulated"):
        return (f"the mode {told(predicate.get('mode'))} is not known",)
    checks, controls = predicate.get("checks"), predicate.get("controls")
    if not (_records(checks) and _records(controls)):
        return ("the checks or the controls cannot be read",)
    return (
        *_failure(predicate),
        *_judged(predicate),
        *_failed_checks(checks, required),
        *_other_goldens(checks),
        *_failed_controls(controls, checks, required),
        *([] if predicate.get("failure") else [*_left_out(checks, controls, required), *_times(predicate)]),
    )


def verdict(found: tuple[str, ...]) -> str:
    """Of findings."""
    return "not proven" if found else "proven"


def why_not(check: Mapping[str, Any]) -> str:
    """Why a recorded check fails by its rule; empty if it passes."""
    rule = RULES.get(str(check.get("rule")))
    if rule is None:
        return f"there is no rule {told(check.get('rule'))}"
    return rule(check.get("expected"), check.get("found"))


def failure(check: Check) -> str:
    """Why a check fails; empty if it passes."""
    return RULES[check.rule](check.expected, check.found)


def recorded(check: Check) -> dict[str, Any]:
    """A check as it stands in the predicate, with its verdict."""
    plain = json.loads(json.dumps(asdict(check)))
    reason = why_not(plain)
    return {**plain, "passed": not reason, "reason": reason}


def _failure(predicate: Predicate) -> Iterator[str]:
    failure = predicate.get("failure")
    if isinstance(failure, Mapping):
        yield f"{failure.get('what')} ({failure.get('where')}), in the phase {told(failure.get('phase'))!r}"
    elif failure is not None:
        yield "it could not go on, and does not say why"


def _judged(predicate: Predicate) -> Iterator[str]:
    """What was not judged where it ran is said; in a real cloud everything is."""
    if predicate["mode"] == "real" and predicate["scenario"] != IN_ACCOUNTS:
        yield f"the scenario {predicate['scenario']} destroys what it restores, so it does not run in a real cloud"
    left_out = predicate.get("not_enforced")
    if not isinstance(left_out, list) or (predicate["mode"] == "emulated") is not bool(left_out):
        yield f"what is not enforced in a cloud that is {predicate['mode']} cannot be {told(left_out)}"


def _failed_checks(checks: list[Mapping[str, Any]], required: Requirements) -> Iterator[str]:
    for check in checks:
        name, reason = str(check.get("name")), why_not(check)
        if check.get("rule") != required.checks.get(name, check.get("rule")):
            reason = f"it was judged by {told(check.get('rule'))!r} instead of {required.checks[name]!r}"
        elif check.get("passed") is not (not reason):
            reason = reason or "it is recorded as failed, and passes"
        if reason:
            yield f"{_title(check)}: {reason}"


def _other_goldens(checks: list[Mapping[str, Any]]) -> Iterator[str]:
    """Predictions are judged by the golden set of the release: by all of it, and within its tolerance."""
    sets = [check.get("found") for check in checks if check.get("name") == "goldens.set"]
    for check in checks:
        wanted = check.get("expected")
        if check.get("rule") != "answers" or not isinstance(wanted, Mapping):
            continue
        for golden in sets:
            if isinstance(golden, Mapping) and (
                wanted.get("requests") != golden.get("predictions")
                or wanted.get("tolerance") != golden.get("tolerance")
            ):
                yield f"{_title(check)}: it was not judged by the golden set of the release"


def _failed_controls(
    controls: list[Mapping[str, Any]], checks: list[Mapping[str, Any]], required: Requirements
) -> Iterator[str]:
    expected = {_key(c): c.get("expected") for c in checks}
    failed = {_key(c) for c in checks if why_not(c)}
    for control in controls:
        name, planted, undone = control.get("name"), control.get("planted"), control.get("undone")
        if not isinstance(planted, Mapping) or not _records(undone):
            yield f"the negative control {told(name)} cannot be read"
            continue
        rule = required.checks.get(str(planted.get("name")), planted.get("rule"))
        key = _key(planted)
        if planted.get("name") != required.controls.get(str(name), planted.get("name")):
            yield f"negative control {told(name)}: it was put to another check, {told(planted.get('name'))}"
        elif key not in expected or planted.get("expected") != expected[key] or planted.get("rule") != rule:
            yield f"negative control {told(name)}: it was not judged as the restore was"
        elif not why_not(planted):
            yield f"negative control not detected: {control.get('fault')}"
        elif key not in failed and any(
            why_not(check) or any(check.get(name) != planted.get(name) for name in _SAME) for check in undone
        ):
            yield f"negative control {told(name)}: the data was not clean before and after it"


def _left_out(
    checks: list[Mapping[str, Any]], controls: list[Mapping[str, Any]], required: Requirements
) -> Iterator[str]:
    for name in sorted(required.checks.keys() - {str(check.get("name")) for check in checks}):
        yield f"the check {name} was left out"
    for name in sorted(required.controls.keys() - {str(control.get("name")) for control in controls}):
        yield f"the negative control {name} was left out"


def _times(predicate: Predicate) -> Iterator[str]:
    """The clock of the phases runs on, and the RTO is what lies between the loss and the golden prediction."""
    lost, proven, phases = predicate.get("lost_at_s"), predicate.get("proven_at_s"), predicate.get("phases")
    if not _records(phases) or not all(is_figure(p.get("start_s")) and is_figure(p.get("seconds")) for p in phases):
        yield "the times of the phases are impossible"
        return
    starts = [phase["start_s"] for phase in phases]
    ends = [phase["start_s"] + phase["seconds"] for phase in phases]
    if any(later < earlier - CLOCK_GRAIN_S for earlier, later in zip(ends, starts[1:], strict=False)):
        yield "the phases overlap: their clock was set"
    if not (is_figure(lost) and is_figure(proven) and lost < proven):
        yield "the moments of the loss and of the proof are impossible"
        return
    if phases and (lost < starts[0] - CLOCK_GRAIN_S or proven > max(ends) + CLOCK_GRAIN_S):
        yield "the loss or the proof is not within the phases"
    for check in predicate["checks"]:
        if check.get("name") == "rto.measured" and (
            not is_figure(check.get("found")) or abs(proven - lost - check["found"]) > CLOCK_GRAIN_S
        ):
            yield f"an RTO of {told(check.get('found'))} s is not what the phases tell"


def _key(check: Mapping[str, Any]) -> tuple[str, str]:
    return str(check.get("name")), str(check.get("subject"))


def _title(check: Mapping[str, Any]) -> str:
    subject = check.get("subject")
    return f"{check.get('name')} of {subject}" if subject else str(check.get("name"))


def _records(value: Any) -> TypeGuard[list[Mapping[str, Any]]]:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)
