"""The audit trail: who read or wrote models and features, and every connection in the network, in a log bucket.

Data Access logs are off until a project asks for them, but for BigQuery's; flow and firewall logs lie in `_Default`,
unlocked and under Google's own key, unless they are routed (Cloud Logging, "Audit logs overview", 2026-11-21).
Memorystore logs calls of its API, as an export is, and no command of Redis: the flow logs say who connected.
That Firestore's and Bigtable's rows are logged under the services named here is believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component, ready
from components.contracts.feature_store import FeatureStoreKind, FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import AuditRef, KeysRef, NetworkRef, StorageRef
from components.contracts.specs import MonitoringSpec
from components.contracts.stateful import NotCopied, Stateful
from components.contracts.vocabulary import OptOut
from components.gcp.agents import account_member
from components.gcp.identity import fleet_account
from components.gcp.logs import log_bucket

BUCKET: Final = "audit"
RECORDS: Final = Stateful(
    "the record of who read and wrote models and features, and of the network's connections",
    NotCopied("a restore needs no logs, and a lock keeps them"),
)
STORAGE: Final = "storage.googleapis.com"
ALL_SERVICES: Final = "allServices"
AUDITED: Final[Mapping[FeatureStoreKind, str]] = {
    FeatureStoreKind.REDIS: "redis.googleapis.com",
    FeatureStoreKind.FIRESTORE: "firestore.googleapis.com",
    FeatureStoreKind.BIGTABLE: "bigtable.googleapis.com",
}
"""Kind of feature store → the service whose Data Access logs tell of it."""

LOGS: Final = (
    "cloudaudit.googleapis.com%2Fdata_access",
    "compute.googleapis.com%2Fvpc_flows",
    "networkmanagement.googleapis.com%2Fvpc_flows",
    "compute.googleapis.com%2Ffirewall",
)
"""The logs that are kept, by their ids: accesses to data, connections, and what the firewall let in or not."""

Config = gcp.projects.IAMAuditConfigAuditLogConfigArgs


def audit_filter(place: Place) -> str:
    """The log entries of `LOGS`, of this project."""
    names = " OR ".join(f'"projects/{place.account}/logs/{log}"' for log in LOGS)
    return f"logName=({names})"


class Audit(Component):
    """Data Access logs of objects and features, and one locked log bucket for them and for the network's logs.

    Audit settings are a project's, per service: two stacks in one project would share them.
    """

    ref: AuditRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: MonitoringSpec,
        *,
        network: NetworkRef,  # noqa: ARG002 - its subnet and firewall log by themselves
        storage: StorageRef,  # noqa: ARG002 - Data Access logs are a project's
        feature_store: FeatureStoreRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Audit", name, provider)
        sink = log_bucket(
            BUCKET,
            RECORDS,
            parent=self,
            place=place,
            key=keys.logs,
            retention_days=spec.log_retention_days,
            matching=audit_filter(place),
        )
        own_reads_apart = OptOut.FEATURE_READ_EVENTS in place.opt_outs
        configs = [
            data_access(self, "objects", place, STORAGE),
            data_access(
                self,
                "features",
                place,
                AUDITED[feature_store.kind],
                # The fleet only reads.
                [account_member(place, fleet_account(place))] if own_reads_apart else [],
            ),
        ]
        store = place.name(BUCKET)
        self.ref = AuditRef(store=store, id=ready(store, sink, *configs))
        self.finish({"store": self.ref.id})


def data_access(
    parent: Component, name: str, place: Place, service: str, exempted: Sequence[str] = ()
) -> gcp.projects.IAMAuditConfig:
    """Log who reads and writes data through a service of the project, but for the members `exempted` when they read.

    The provider owns the whole setting of a service. That of all services is a setting of its own: of the two the
    union holds, exemptions included (IAM, "AuditConfig", read 2026-11-21).
    """
    return gcp.projects.IAMAuditConfig(
        name,
        project=place.account,
        service=service,
        audit_log_configs=[
            Config(log_type="ADMIN_READ"),
            Config(log_type="DATA_READ", exempted_members=list(exempted) or None),
            Config(log_type="DATA_WRITE"),
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )
