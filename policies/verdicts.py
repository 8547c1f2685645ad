"""The verdict on a stack: findings, waivers and opt-outs, counted, and whether it may pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from policies import waivers as waiving
from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Finding, Severity, Verdict
from policies.settings_view import SettingsView
from policies.unjudged import PlannedTypes, planned_types
from policies.waivers import Waived, Waiver

_ORDER = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True)
class StackVerdict:
    """What the rules say about one stack on one day."""

    stack: str
    production: bool
    waived: Waived
    opt_outs: Mapping[str, str]
    """Safe defaults that the settings give up → the reason."""
    types: PlannedTypes = field(default_factory=PlannedTypes)
    """How many types the stack plans, and those that no rule reads."""

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the order of the rules, waivers applied; then types that are unread and not listed."""
        return (*self.waived.findings, *self.types.findings)

    @cached_property
    def violations(self) -> tuple[Finding, ...]:
        """What fails, worst first; in production that includes what is unknown."""
        failing = (Verdict.FAIL, Verdict.UNKNOWN) if self.production else (Verdict.FAIL,)
        found = [finding for finding in self.findings if finding.verdict in failing]
        return tuple(sorted(found, key=lambda f: (_ORDER[f.rule.severity], f.rule.id, f.urn)))

    @cached_property
    def counts(self) -> Mapping[Verdict, int]:
        """How many findings have each verdict."""
        counted = Counter(finding.verdict for finding in self.findings)
        return {verdict: counted[verdict] for verdict in Verdict}

    @property
    def passed(self) -> bool:
        """No violation, and no invalid waiver."""
        return not self.violations and not self.waived.problems

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as `seawall check --json` prints it for one stack."""
        return {
            "stack": self.stack,
            "production": self.production,
            "verdict": "pass" if self.passed else "fail",
            "counts": {str(verdict): count for verdict, count in self.counts.items()},
            "violations": [finding.to_json() for finding in self.violations],
            "findings": [finding.to_json() for finding in self.findings],
            "waivers": [{**waiver.to_json(), "urn": urn} for (_, urn), waiver in self.waived.applied.items()],
            "waiver_problems": [problem.to_json() for problem in self.waived.problems],
            "types": self.types.to_json(),
            "opt_outs": [{"opt_out": name, "reason": reason} for name, reason in self.opt_outs.items()],
        }


def judge(inventory: Inventory, waivers: Sequence[Waiver], today: date) -> StackVerdict:
    """Evaluate all rules on `inventory` and apply the stack's waivers, both as of `today`."""
    settings = SettingsView.of(inventory.settings)
    findings = evaluate(replace(inventory, on=today.isoformat()))
    waived = waiving.apply(waivers, inventory.stack, findings, today)
    return StackVerdict(inventory.stack, settings.production, waived, settings.opt_outs, planned_types(inventory))
