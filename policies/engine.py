"""The same rules inside the Pulumi engine: records what the engine shows, and judges the stack once.

Before a provider acts the engine shows each resource's checked inputs; at the end it shows the whole stack with
parents and dependencies, but outputs instead of inputs. Together they are what the offline plan records.

The settings come from the stack's own configuration, which the engine hands to every policy pack: what decides
how a stack is deployed also decides how it is judged, and nobody can judge it by other settings.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi_policy import EnforcementLevel, Policy, ReportViolation, StackValidationArgs, StackValidationPolicy
from pulumi_policy import Severity as EngineSeverity

from common.sdk.schema import PROVIDER_PREFIX
from components.contracts.bootstrap import BootstrapSpec
from components.contracts.specs import StackSpec
from policies import waivers as waiving
from policies.inventory import Inventory
from policies.model import Finding, Severity
from policies.registration import STACK_TYPE, Registration, inventory_of
from policies.verdicts import StackVerdict, judge
from policies.waivers import Waiver, WaiversFileError
from policies.wire import plain

CONFIG_KEY: Final = "seawall:settings"
"""The key of the stack's settings in its configuration."""

BOOTSTRAP_KEY: Final = "seawall:bootstrap"
"""The key of a bootstrap stack's settings in its configuration."""

NOT_SHOWN: Final[Mapping[str, str]] = {
    "retain_on_delete": "the analyzer protocol carries no such option (pulumi 3.272, analyzer.proto's "
    "AnalyzerResourceOptions, read 2026-11-21); it is always false here",
    "aliases": "the engine tells those alone that a program writes as whole URNs, which Python's SDK does not (seen "
    "on pulumi 3.259, 2026-11-22); there are none here",
    "made_at": "the engine does not run the program, and is not told where a resource was made; it is empty here",
}
"""Fields of the inventory's resources that the engine does not show a policy pack → why; no rule may read them."""

_ENGINE_ADDS: Final = frozenset({"version", "__internal"})
"""What the engine itself writes into the inputs of a provider."""


class Pack:
    """Records the resources of one operation, and judges them when the engine shows the whole stack."""

    def __init__(
        self, today: Callable[[], date], report_file: Path | None, waivers_file: Path = waiving.DEFAULT_FILE
    ) -> None:
        self._today = today
        self._report_file = report_file
        self._waivers_file = waivers_file
        self._stack = ""
        self._settings: StackSpec | BootstrapSpec | None = None
        self._checked: dict[str, Registration] = {}
        self._waivers_error = ""
        self._waivers: tuple[Waiver, ...] = ()
        self._verdict: StackVerdict | None = None

    def configured(self, stack: str, config: Mapping[str, str]) -> None:
        """Take the stack's name and settings; without sound settings it is judged as production."""
        self._stack = stack
        try:
            self._settings = _settings_in(config)
        except ValueError:  # not JSON, or refused
            self._settings = None

    def resource_checked(self, request: proto.AnalyzeRequest) -> None:
        """Record one resource."""
        self._checked[request.urn] = registration_of(request)

    def stack_shown(self, request: proto.AnalyzeStackRequest) -> None:
        """Judge the stack, and write the report if one is asked for."""
        inventory = self._inventory(request)
        self._waivers = self._load_waivers()
        self._verdict = judge(inventory, self._waivers, self._today())
        if self._report_file:
            report = {"inventory": inventory.to_json(), "verdict": self._verdict.to_json()}
            _write(self._report_file, json.dumps(report))

    def policies(self) -> list[Policy]:
        """One policy that reports for each severity, and one for invalid waivers."""
        mandatory = EnforcementLevel.MANDATORY
        return [
            *(
                StackValidationPolicy(
                    str(severity),
                    f"Seawall's rules of {severity} severity",
                    partial(self._report, severity),
                    mandatory,
                    severity=EngineSeverity(str(severity)),
                )
                for severity in Severity
            ),
            StackValidationPolicy("waivers", "Seawall's waivers are valid", self._report_waivers, mandatory),
        ]

    def _inventory(self, request: proto.AnalyzeStackRequest) -> Inventory:
        outputs: Mapping[str, Any] = {}
        registrations: dict[str, Registration] = {}
        for shown in request.resources:
            if shown.type == STACK_TYPE:
                outputs = plain(shown.properties)
            else:
                registrations[shown.urn] = _linked(self._checked.get(shown.urn) or registration_of(shown), shown)
        return inventory_of(self._stack, self._settings, registrations, outputs)

    def _report(self, severity: Severity, _: StackValidationArgs, report_violation: ReportViolation) -> None:
        for finding in self._judged().violations:
            if finding.rule.severity is severity:
                report_violation(message_of(finding), finding.urn)

    def _report_waivers(self, _: StackValidationArgs, report_violation: ReportViolation) -> None:
        verdict = self._judged()
        if self._waivers_error:
            report_violation(self._waivers_error, None)
        elsewhere = waiving.invalid_elsewhere(self._waivers, [self._stack], self._today())
        for problem in (*verdict.waived.problems, *elsewhere):
            waiver = problem.waiver
            message = f"waiver of {waiver.rule} for {waiver.resource} ({waiver.where}): {problem.problem}"
            report_violation(message, None)

    def _judged(self) -> StackVerdict:
        if self._verdict is None or not self._stack:
            raise RuntimeError("pulumi-policy did not pass the stack on: use the version in requirements.lock")
        return self._verdict

    def _load_waivers(self) -> tuple[Waiver, ...]:
        """The waivers; where they cannot be read there are none, and that is a violation of its own."""
        try:
            self._waivers_error = ""
            return waiving.load(self._waivers_file)
        except WaiversFileError as error:
            self._waivers_error = f"{error}. {error.remedy}"
            return ()


def _settings_in(config: Mapping[str, str]) -> StackSpec | BootstrapSpec:
    """The settings in a stack's configuration.

    Raises:
        ValueError: not JSON, or refused.
    """
    if BOOTSTRAP_KEY in config:
        return BootstrapSpec.model_validate_json(config[BOOTSTRAP_KEY])
    return StackSpec.of_written(json.loads(config.get(CONFIG_KEY, "")))


def registration_of(shown: proto.AnalyzeRequest | proto.AnalyzerResource) -> Registration:
    """One resource as the engine shows it by itself, without its links."""
    is_provider = shown.type.startswith(PROVIDER_PREFIX)
    inputs = plain(shown.properties)
    return Registration(
        urn=shown.urn,
        type=shown.type,
        name=shown.name,
        custom=is_provider or shown.HasField("provider"),
        parent=shown.options.parent or None,
        inputs={key: value for key, value in inputs.items() if not (is_provider and key in _ENGINE_ADDS)},
        provider=shown.provider.urn or None,
        protect=shown.options.protect,
        ignore_changes=tuple(sorted(shown.options.ignoreChanges)),
        delete_before_replace=(
            shown.options.deleteBeforeReplace if shown.options.deleteBeforeReplaceDefined else None
        ),
    )


def _linked(checked: Registration, shown: proto.AnalyzerResource) -> Registration:
    """A resource with the links that only the whole stack shows."""
    links = {key: tuple(value.urns) for key, value in shown.propertyDependencies.items()}
    return replace(
        checked,
        parent=shown.parent or None,
        dependencies=tuple(shown.dependencies),
        property_dependencies=links,
        outputs={} if checked.custom else plain(shown.properties),
    )


def message_of(finding: Finding) -> str:
    """A violation as the engine prints it below the policy's description."""
    lines = [f"{finding.rule.id}: {finding.rule.title}", *(f"  found: {problem}" for problem in finding.problems)]
    return "\n".join([*lines, f"  remedy: {finding.rule.remedy}"])


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
