"""A family of rules: what one module of `policies.rules` holds, and one section of the catalogue.

Usage, in a file of `policies/rules/`; nothing else has to be touched but the generated catalogue:

    family = Family("Registries")

    @family.rule(
        "aws-ecr-scanned", Severity.LOW, "ECR scans …", types=(ECR_REPOSITORY,), rationale="…", remedy="…",
        examples=lambda: examples(given(ECR_REPOSITORY, {"a.b": 2}), broken={"a.b is 1": put("a.b", 1)}),
    )
    def ecr_scanned(repository: Resource, inventory: Inventory) -> Judgement: …

    # Inputs that must have exact values need no check: path → the value that is required, and a wrong one.
    family.require("aws-ecr-…", …, type=ECR_REPOSITORY, inputs={"a.b": (True, False)})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from policies.checks import absent_or, all_of, equals, not_applicable, shown
from policies.examples import Cases, Examples, drop, examples, given, put
from policies.inventory import Inventory, Resource
from policies.model import Check, Framework, Judgement, Rule, Severity


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

    def require(
        self,
        id: str,
        severity: Severity,
        title: str,
        *,
        type: str,
        inputs: Mapping[str, tuple[object, object]],
        rationale: str,
        remedy: str,
        frameworks: Mapping[Framework, tuple[str, ...]] | None = None,
        safe_by_default: bool = False,
        unless: Callable[[Resource, Inventory], str] = lambda _resource, _inventory: "",
        accepted: Callable[[], Cases] = dict,
    ) -> None:
        """Make a rule that inputs have exact values; its examples follow from them.

        `inputs` is path → the value that is required, and one that is wrong. With `safe_by_default` an absent input
        passes. `unless` gives the reason why the rule does not apply, and `accepted` examples of that.
        """
        wanted = {path: right for path, (right, _) in inputs.items()}

        def made() -> Examples:
            absent: Cases = {
                f"{path} is {'left to its safe default' if safe_by_default else 'absent'}": drop(path)
                for path in wanted
            }
            wrong: Cases = {f"{path} is {shown(value)}": put(path, value) for path, (_, value) in inputs.items()}
            passing = {**accepted(), **(absent if safe_by_default else {})}
            return examples(
                given(type, wanted), broken=wrong if safe_by_default else {**wrong, **absent}, accepted=passing
            )

        @self.rule(
            id,
            severity,
            title,
            types=(type,),
            rationale=rationale,
            remedy=remedy,
            examples=made,
            frameworks=frameworks,
        )
        def check(resource: Resource, inventory: Inventory) -> Judgement:
            reason = unless(resource, inventory)
            return not_applicable(reason) if reason else all_of(judge(resource, path) for path in wanted)

        def judge(resource: Resource, path: str) -> Judgement:
            exact = equals(resource, path, wanted[path])
            return absent_or(resource, path, lambda: exact) if safe_by_default else exact
