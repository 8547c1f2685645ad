"""What a stack shows of itself when it is up: everything that operators' commands need, and no secret.

The program dumps these models (`stacks.export`), and `ops` reads them back. Both go by the fields declared here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from components.contracts.feature_store import FeatureStoreKind
from components.contracts.services import STABLE
from components.contracts.vocabulary import Cloud, Environment

NOT_VALUES: Final = {
    "[secret]": "is hidden, as a secret is",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9": "is not known yet",
}
"""Texts that Pulumi puts in the place of an output's value → what they mean (`UNKNOWN` in Pulumi's SDKs)."""


class Outputs(BaseModel):
    """Base of all parts: frozen, and no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @field_validator("*")
    @classmethod
    def _is_a_value(cls, value: object, info: ValidationInfo) -> object:
        for text in value.values() if isinstance(value, Mapping) else [value]:
            if isinstance(text, str) and text in NOT_VALUES:
                raise ValueError(f"{info.field_name} {NOT_VALUES[text]}")
        return value


class KeyOutputs(Outputs):
    """A customer-managed key."""

    id: str
    """What other resources name it by: an ARN on AWS, a resource id on Google Cloud."""
    alias: str
    region: str


class KeysOutputs(Outputs):
    """The stack's keys by purpose; `recovery` is the backup region's own."""

    cluster: KeyOutputs
    data: KeyOutputs
    logs: KeyOutputs
    recovery: KeyOutputs


class BucketOutputs(Outputs):
    """A bucket of models."""

    name: str
    uri: str
    """`s3://name` or `gs://name`."""
    region: str
    key: str
    """The id of the key that it is encrypted with."""
    id: str


class ReplicaOutputs(BucketOutputs):
    """The model bucket's copy in the backup region."""

    copy_job: str
    """The job that fills it; empty where the bucket itself is copied from does."""


class FeatureStoreOutputs(Outputs):
    """The feature store."""

    kind: FeatureStoreKind
    name: str
    region: str
    id: str
    environment: dict[str, str]
    """What a server that reads from it is told, beside its secrets."""
    writer: str
    """The store's own user that may write; empty where it has no users."""
    entry_ttl_hours: int
    """Hours after which an entry expires."""


class BackupOutputs(Outputs):
    """Scheduled recovery points, and where their copies lie."""

    plan: str
    vault: str
    """A vault on AWS, a bucket on Google Cloud."""
    restore_identity: str | None = None
    """Whom a restore runs as; None where it runs as whoever asks for it."""
    region: str
    id: str


class RegistryOutputs(Outputs):
    """The container registry."""

    url: str
    """The serving image's repository."""
    backup_url: str
    """Its copy's, in the backup region."""
    id: str


class AuditOutputs(Outputs):
    """Where the record of accesses and connections is kept."""

    store: str
    id: str


class ClusterOutputs(Outputs):
    """The Kubernetes cluster."""

    name: str
    id: str


class StandbyOutputs(Outputs):
    """The network that waits in the backup region."""

    network: str
    """On Google Cloud the stack's own, which is global."""
    region: str


class VariantOutputs(Outputs):
    """One set of replicas of a service."""

    deployment: str
    service: str
    """The Kubernetes Service that its replicas answer behind."""
    model_release: str
    """The release that the settings name."""
    manifest_sha256: str
    """The only content that it may have."""
    signers: tuple[str, ...]
    """Fingerprints of the keys that may have signed it; none: it need not be signed."""


class ServiceOutputs(Outputs):
    """One service of the fleet."""

    variants: dict[str, VariantOutputs]
    """`stable`, and the challengers by name."""


class FleetOutputs(Outputs):
    """The Triton fleet."""

    namespace: str
    services: dict[str, ServiceOutputs]
    drilled_service: str
    """The service whose golden answers drills and demos ask for."""
    ready: str

    @property
    def variants(self) -> tuple[VariantOutputs, ...]:
        """Every set of replicas of every service."""
        return tuple(variant for service in self.services.values() for variant in service.variants.values())

    @property
    def drilled(self) -> VariantOutputs:
        """The stable variant of the service that drills and demos ask."""
        return self.services[self.drilled_service].variants[STABLE]

    @property
    def pins(self) -> dict[str, str]:
        """Version → digest of every release that the fleet serves."""
        return {variant.model_release: variant.manifest_sha256 for variant in self.variants}

    @property
    def signers(self) -> tuple[str, ...]:
        """Fingerprints of all who may have signed any of them; none where one of them need not be signed."""
        if not all(variant.signers for variant in self.variants):
            return ()
        return tuple(dict.fromkeys(signer for variant in self.variants for signer in variant.signers))


class PodIdentityOutputs(Outputs):
    """Who the pods of one Kubernetes service account are in the cloud."""

    namespace: str
    service_account: str
    principal: str
    """A role's ARN on AWS, the member `serviceAccount:EMAIL` on Google Cloud."""


class IdentitiesOutputs(Outputs):
    """The stack's identities by what they are for."""

    fleet: PodIdentityOutputs
    publisher: str
    """Writes releases: a role's ARN, or a service account's email, for people and pipelines to take on."""
    feature_writer: str
    """Writes features."""
    drill: str
    """Reads models and their copies, and restores to resources of a drill's own."""


class MonitoringOutputs(Outputs):
    """Where alerts go."""

    channel: str


class ObjectivesOutputs(Outputs):
    """What a restore must achieve."""

    rpo_minutes: int
    rto_minutes: int


class StackOutputs(Outputs):
    """Everything that a stack shows, as `pulumi stack output` prints it."""

    cloud: Cloud
    environment: Environment
    account: str
    """AWS: the account's 12 digits. Google Cloud: the project's id."""
    region: str
    backup_region: str
    keys: KeysOutputs
    model_bucket: BucketOutputs
    model_replica: ReplicaOutputs
    feature_store: FeatureStoreOutputs
    backup: BackupOutputs
    registry: RegistryOutputs
    audit: AuditOutputs
    cluster: ClusterOutputs
    fleet: FleetOutputs
    identities: IdentitiesOutputs
    monitoring: MonitoringOutputs
    standby: StandbyOutputs
    objectives: ObjectivesOutputs
