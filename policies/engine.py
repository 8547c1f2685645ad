"""The same rules inside the Pulumi engine: gathers what the engine analyses, and judges the stack once.

Resource callbacks see each resource's checked inputs; the stack callback sees parents and dependencies, but the
outputs instead of the inputs. Together they make the inventory that the offline plan makes.

The settings come from the stack's own configuration, which the engine hands to every policy pack: what decides
how a stack is deployed also decides how it is judged, and nobody can judge it by other settings.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import Severity as EngineSeverity
from pulumi_policy.proxy import _is_unknown
from pulumi_policy.secret import Secret, _DictSecretsProxy

from policies import waivers as waiving
from policies.inventory import SECRET, UNKNOWN, Inventory, Resource
from policies.model import Finding, Severity
from policies.verdicts import StackVerdict, judge
from policies.waivers import Waiver, WaiversFileError

CONFIG_KEY: Final = "seawall:settings"
"""The key of the stack's settings in its configuration."""

_ZONE = re.compile(r"^([a-z]+-[a-z]+[0-9]+)-[a-z]$")


@dataclass
class Masked:
    """Plain inputs, and the paths of what was secret or unknown in them."""

    value: Any = None
    secret_paths: list[str] = field(default_factory=list)
    unknown_paths: list[str] = field(default_factory=list)


def mask(properties: object) -> Masked:
    """Properties as the library gives them, made plain: secrets and unknowns replaced by the inventory's marks."""
    masked = Masked()
    masked.value = _plain(properties, "", masked)
    return masked


def _plain(value: Any, path: str, into: Masked) -> Any:
    if isinstance(value, Secret):
        into.secret_paths.append(path)
        if _is_unknown(value.value):
            into.unknown_paths.append(path)
        return SECRET
    if isinstance(value, str) and _is_unknown(value):
        into.unknown_paths.append(path)
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _plain(item, f"{path}.{key}" if path else str(key), into) for key, item in _raw(value).items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item, f"{path}.{index}", into) for index, item in enumerate(_raw(value))]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, str | bool | int | float | None) else str(type(value).__name__)


def _raw(proxy: Any) -> Any:
    """What a proxy of the library stands for; reading through the proxy would unwrap secrets."""
    return proxy if isinstance(proxy, dict | list) else proxy["__target"]


@dataclass(frozen=True)
class Gathered:
    """What the engine said about one resource before its provider acted."""

    type: str
    name: str
    custom: bool
    inputs: Masked
    provider_inputs: Mapping[str, Any]
    protect: bool


def gather(args: ResourceValidationArgs | PolicyResource) -> Gathered:
    """One resource of a callback, made plain.

    Raises:
        RuntimeError: the library did not keep secrets marked.
    """
    if not isinstance(args.props, _DictSecretsProxy):
        raise RuntimeError("pulumi-policy did not keep secrets marked: use the version in requirements.lock")
    provider = args.provider
    return Gathered(
        type=args.resource_type,
        name=args.name,
        custom=provider is not None or args.resource_type.startswith("pulumi:providers:"),
        inputs=mask(args.props),
        provider_inputs=mask(provider.props).value if provider else {},
        protect=bool(args.opts and args.opts.protect),
    )


def region_of(gathered: Gathered) -> str | None:
    """The region from the resource's own inputs, else its provider's; a zone's region for a zone."""
    if not gathered.custom or gathered.type.split(":", 1)[0] not in ("aws", "gcp"):
        return None
    places = (inputs.get(key) for inputs in (gathered.inputs.value, gathered.provider_inputs) for key in
              ("location", "region", "zone"))  # fmt: skip
    place = next((place for place in places if isinstance(place, str) and place), None)
    if place is None or place in (UNKNOWN, SECRET):
        return place and UNKNOWN
    zone = _ZONE.match(place.lower())
    return zone[1] if zone else place.lower()


def inventory_of(
    stack: str,
    settings: Mapping[str, Any],
    gathered: Mapping[str, Gathered],
    resources: Iterable[PolicyResource],
) -> Inventory:
    """The inventory of the stack's `resources`, with the inputs that were gathered before."""
    return Inventory(
        stack=stack,
        settings=settings,
        resources=tuple(_resource(r, gathered.get(r.urn) or gather(r)) for r in resources),
    )


def _resource(linked: PolicyResource, gathered: Gathered) -> Resource:
    return Resource(
        urn=linked.urn,
        type=gathered.type,
        name=gathered.name,
        custom=gathered.custom,
        parent=linked.parent.urn if linked.parent else None,
        inputs=gathered.inputs.value,
        secret_paths=tuple(sorted(gathered.inputs.secret_paths)),
        unknown_paths=tuple(sorted(gathered.inputs.unknown_paths)),
        dependencies=tuple(sorted(r.urn for r in linked.dependencies)),
        property_dependencies={
            key: tuple(sorted(r.urn for r in targets)) for key, targets in linked.property_dependencies.items()
        },
        region=region_of(gathered),
        protect=gathered.protect,
    )


class Pack:
    """Collects the resources of one operation, and judges them when the engine shows the whole stack."""

    def __init__(
        self, today: Callable[[], date], verdicts_file: Path | None, waivers_file: Path = waiving.DEFAULT_FILE
    ) -> None:
        self._today = today
        self._verdicts_file = verdicts_file
        self._waivers_file = waivers_file
        self._stack = ""
        self._settings: Mapping[str, Any] = {}
        self._gathered: dict[str, Gathered] = {}
        self._waivers_error = ""
        self._verdict: StackVerdict | None = None
        self._served: set[str] = set()

    def configure(self, stack: str, config: Mapping[str, str]) -> None:
        """Take the stack's name and configuration; without settings it is judged as production."""
        settings = json.loads(config.get(CONFIG_KEY, "{}"))
        self._stack = stack
        self._settings = settings if isinstance(settings, Mapping) else {}

    def policies(self) -> list[Policy]:
        """One policy that gathers, one that reports for each severity, and one for waivers in bad order.

        Few, because the library reads all resources anew for each policy.
        """
        mandatory = EnforcementLevel.MANDATORY
        return [
            ResourceValidationPolicy("gather", "Gathers inputs for the stack's policies", self._gather, mandatory),
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
            StackValidationPolicy("waivers", "Seawall's waivers are in good order", self._report_waivers, mandatory),
        ]

    def _gather(self, args: ResourceValidationArgs, _: ReportViolation) -> None:
        self._gathered[args.urn] = gather(args)

    def _report(self, severity: Severity, args: StackValidationArgs, report_violation: ReportViolation) -> None:
        for finding in self._judged(str(severity), args).violations:
            if finding.rule.severity is severity:
                report_violation(message_of(finding), finding.urn)

    def _report_waivers(self, args: StackValidationArgs, report_violation: ReportViolation) -> None:
        verdict = self._judged("waivers", args)
        if self._waivers_error:
            report_violation(self._waivers_error, None)
        for problem in verdict.waived.problems:
            waiver = problem.waiver
            message = f"waiver of {waiver.rule} for {waiver.resource} ({waiver.where}): {problem.problem}"
            report_violation(message, None)

    def _judged(self, policy: str, args: StackValidationArgs) -> StackVerdict:
        """The verdict, made once for each time that the engine shows the stack to all policies."""
        if self._verdict is None or policy in self._served:
            if not self._stack:
                raise RuntimeError("pulumi-policy did not pass the stack on: use the version in requirements.lock")
            self._served = set()
            inventory = inventory_of(self._stack, self._settings, self._gathered, args.resources)
            self._verdict = judge(inventory, self._load_waivers(), self._today())
            if self._verdicts_file:
                _write(self._verdicts_file, self._verdict)
        self._served.add(policy)
        return self._verdict

    def _load_waivers(self) -> tuple[Waiver, ...]:
        """The waivers; where they cannot be read there are none, and that is a violation of its own."""
        try:
            self._waivers_error = ""
            return waiving.load(self._waivers_file)
        except WaiversFileError as error:
            self._waivers_error = f"{error}; {error.remedy}"
            return ()


def message_of(finding: Finding) -> str:
    """A violation as the engine prints it below the policy's description."""
    lines = [f"{finding.rule.id}: {finding.rule.title}", *(f"  found: {problem}" for problem in finding.problems)]
    return "\n".join([*lines, f"  remedy: {finding.rule.remedy}"])


def _write(path: Path, verdict: StackVerdict) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(verdict.to_json()), encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
