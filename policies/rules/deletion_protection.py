"""Protection of what holds state, or the service, against deletion by mistake."""

from __future__ import annotations

from collections.abc import Mapping

from components.contracts.vocabulary import OptOut
from policies.examples import setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Severity
from policies.settings_view import SettingsView
from policies.tokens import BIGTABLE_TABLE, DYNAMODB_TABLE, EKS_CLUSTER, FIRESTORE, GKE_CLUSTER

family = Family("Deletion protection")

_CLUSTER = "A replaced or destroyed cluster takes the whole service with it."


def _opted_out(_: Resource, inventory: Inventory) -> str:
    reason = SettingsView.of(inventory.settings).opt_outs.get(OptOut.DELETION_PROTECTION)
    return f"the stack's settings opt out of deletion protection: {reason}" if reason else ""


def _protected(
    id: str,
    severity: Severity,
    what: str,
    type: str,
    path: str,
    *,
    rationale: str,
    on_off: tuple[object, object] = (True, False),
    safe_by_default: bool = False,
    frameworks: Mapping[Framework, tuple[str, ...]] | None = None,
) -> None:
    """The rule that the flag at `path` is on, the first of `on_off`, unless the settings opt out with a reason."""
    reason = "the stack is made and destroyed each night"
    family.require(
        id,
        severity,
        f"{what} cannot be deleted by mistake",
        type=type,
        inputs={path: on_off},
        rationale=rationale,
        remedy=f"Set {path}, or opt out in the settings with a reason.",
        frameworks=frameworks,
        safe_by_default=safe_by_default,
        unless=_opted_out,
        accepted=lambda: {
            f"the stack's settings opt out of deletion protection: {reason}": setting(
                "opt_outs", {str(OptOut.DELETION_PROTECTION): reason}
            )
        },
    )


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
    safe_by_default=True,
    rationale=_CLUSTER,
)
_protected(
    "gcp-firestore-deletion-protection",
    Severity.MEDIUM,
    "Firestore databases",
    FIRESTORE,
    "deleteProtectionState",
    rationale="A replaced or destroyed database takes its features, and its point-in-time recovery, with it at once.",
    on_off=("DELETE_PROTECTION_ENABLED", "DELETE_PROTECTION_DISABLED"),
)
_protected(
    "gcp-bigtable-deletion-protection",
    Severity.MEDIUM,
    "Bigtable tables",
    BIGTABLE_TABLE,
    "deletionProtection",
    rationale="A replaced or destroyed table takes its features with it at once; so does its instance.",
    on_off=("PROTECTED", "UNPROTECTED"),
)
