"""A family of rules: what one module of `policies.rules` holds, and one section of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from policies.examples import Examples
from policies.model import Check, Framework, Rule, Severity


@dataclass(frozen=True)
class Family:
    """Rules about one concern, in the order in which they are written."""

    title: str
    rules: list[Rule] = field(default_factory=list)

    def rule(
        self,
        id: str,
        severity: Severity,
        title: str,
        *,
        types: tuple[str, ...],
        rationale: str,
        remedy: str,
        examples: Callable[[], Examples],
        frameworks: Mapping[Framework, tuple[str, ...]] | None = None,
    ) -> Callable[[Check], Check]:
        """Make the decorated check a rule of this family; the check itself stays a plain function.

        `remedy` is one imperative sentence. `examples` is called by tests and by the catalogue only.
        """

        def add(check: Check) -> Check:
            self.rules.append(Rule(id, severity, title, rationale, remedy, types, check, examples, frameworks or {}))
            return check

        return add
