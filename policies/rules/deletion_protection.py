"""Protection of what holds state, or the service, against deletion by mistake."""

from __future__ import annotations

from collections.abc import Mapping

from components.contracts.vocabulary import OptOut
from policies.checks import absent_or, equals, not_applicable
from policies.examples import drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import DYNAMODB_TABLE, EKS_CLUSTER, GKE_CLUSTER

family = Family("Deletion protection")

_CLUSTER = "A replaced or destroyed cluster takes the whole service with it."


def _protected(
    id: str,
    severity: Severity,
    what: str,
    token: str,
    path: str,
    *,
    rationale: str,
    on_by_default: bool = False,
    frameworks: Mapping[Framework, tuple[str, ...]] | None = None,
) -> None:
    """The rule that the flag at `path` of a `token` is on, unless the settings opt out with a reason."""
    opted_out = {"deletion_protection": "the stack is made and destroyed each night"}
    absent = {f"{path} is left to its safe default" if on_by_default else f"{path} is absent": drop(path)}

    @family.rule(
        id,
        severity,
        f"{what} cannot be deleted by mistake",
        types=(token,),
        rationale=rationale,
        remedy=f"Set {path}, or opt out in the settings with a reason.",
        frameworks=frameworks,
        examples=lambda: examples(
            given(token, {path: True}),
            broken={f"{path} is false": put(path, False), **({} if on_by_default else absent)},
            accepted={
                f"the stack's settings opt out of deletion protection: {opted_out['deletion_protection']}": setting(
                    "opt_outs", opted_out
                ),
                **(absent if on_by_default else {}),
            },
        ),
    )
    def check(resource: Resource, inventory: Inventory) -> Judgement:
        reason = SettingsView.of(inventory.settings).opt_outs.get(OptOut.DELETION_PROTECTION)
        if reason:
            return not_applicable(f"the stack's settings opt out of deletion protection: {reason}")
        if on_by_default:
            return absent_or(resource, path, lambda: equals(resource, path, True))
        return equals(resource, path, True)


_protected(
    "aws-dynamodb-deletion-protection",
    Severity.MEDIUM,
    "DynamoDB tables",
    DYNAMODB_TABLE,
    "deletionProtectionEnabled",
    rationale="A replaced or destroyed table takes its features with it at once.",
    frameworks={Framework.AWS_FSBP: ("DynamoDB.6",)},
)
_protected(
    "aws-eks-deletion-protection",
    Severity.HIGH,
    "EKS clusters",
    EKS_CLUSTER,
    "deletionProtection",
    rationale=_CLUSTER,
)
_protected(
    "gcp-gke-deletion-protection",
    Severity.HIGH,
    "GKE clusters",
    GKE_CLUSTER,
    "deletionProtection",
    on_by_default=True,
    rationale=_CLUSTER,
)
