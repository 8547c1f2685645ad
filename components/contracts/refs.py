"""What a component gives back: values and outputs that mean "ready to use", not "created".

Plain strings are known before anything exists (physical names, regions, addresses made of them);
`pulumi.Output`s are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from components.contracts.capacity import Room
from components.contracts.doors import Door
from components.contracts.images import PublicImage, RegistryAddress
from components.contracts.releases import Resolved
from components.contracts.vocabulary import Cloud


@dataclass(frozen=True)
class KeyRef:
    """A key that may be used at once by the services that need it."""

    id: pulumi.Output[str]
    """What other resources name it by: an ARN on AWS, a resource id on Google Cloud."""
    alias: str
    """Known name, for people: `alias/...` on AWS, the full resource id on Google Cloud. No right hinges on it."""
    region: str


@dataclass(frozen=True)
class KeysRef:
    """The stack's keys by purpose; `recovery` is the backup region's own."""

    cluster: KeyRef
    data: KeyRef
    logs: KeyRef
    recovery: KeyRef


@dataclass(frozen=True)
class NetworkRef:
    """A private network with one subnet per zone (AWS) or one per region (Google Cloud)."""

    id: pulumi.Output[str]
    subnet_ids: tuple[pulumi.Output[str], ...]
    cidr: str
    managed_services_ready: pulumi.Output[str]
    """Resolves to the network's id when managed services can be reached privately from it."""
    control_plane_subnet_ids: tuple[pulumi.Output[str], ...] = ()
    """Subnets that the cluster's control plane has for itself; empty where it has none in the network (GKE)."""
    control_plane_cidrs: tuple[str, ...] = ()
    """Their address ranges."""
    doors: tuple[Door, ...] = ()
    """Where pods that run the cluster itself reach the cloud's APIs."""
    store_subnet_ids: tuple[pulumi.Output[str], ...] = ()
    """Subnets of the stores that pods reach, and of nothing else; none on Google Cloud."""
    store_cidr: str = ""
    """The address range of these subnets."""
    internet: tuple[pulumi.Resource, ...] = ()
    """What a load balancer on the internet needs before it; empty where the network has no way from there."""


@dataclass(frozen=True)
class ApiServerPath:
    """Where pods reach the API server, and where it comes from when it calls one that serves one of its APIs."""

    doors: tuple[Door, ...]
    """Its service's address, and those behind that: which of them a policy sees is the data plane's affair."""
    cidrs: tuple[str, ...] = ()
    """Addresses of its own that it comes from (EKS)."""
    agent: tuple[str, str, str] | None = None
    """Namespace, label and value of the pods that it comes through (GKE)."""


@dataclass(frozen=True)
class Grant:
    """A role of Kubernetes' own that the cluster's RBAC must bind, because the cloud's does not."""

    name: str
    """What the binding is called."""
    role: str
    """The ClusterRole, as `view`."""
    subject_kind: Literal["User", "Group"]
    subject: str


@dataclass(frozen=True)
class StandbyRef:
    """A network of the backup region that waits for a restore."""

    network: pulumi.Output[str]
    """On Google Cloud the stack's own, which is global."""
    subnets: Mapping[str, pulumi.Output[str]]
    """By zone on AWS, by region on Google Cloud."""
    cidr: str
    region: str


@dataclass(frozen=True)
class ClusterRef:
    """A cluster whose API answers and whose add-ons run."""

    cloud: Cloud
    name: str
    id: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    """Secret: credentials come from the cloud's own exec plugin, but the CA and endpoint are inside."""
    identifier: pulumi.Output[str]
    """Stays while the cluster does, whatever its address; another cluster of the same name has another."""
    api_server: ApiServerPath
    release: Resolved | None = None
    """The versions of machines and add-ons; None where the cloud brings them to the control plane's (GKE)."""
    grants: tuple[Grant, ...] = ()
    """Whom the cluster's own RBAC lets in; empty where the cloud binds the named principals by itself."""
    node_role: pulumi.Output[str] | None = None
    """The service account of the machines, by its email (Google Cloud); on AWS `NodePools` makes their role."""


@dataclass(frozen=True)
class NodeGroupRef:
    """One of the groups of machines that a pool is made of."""

    name: str
    """The cloud's name of it; another group with other unchangeable settings has another name."""
    rank: int
    """Where it stands in the pool's order; the lowest is tried first."""
    min_nodes: int
    max_nodes: int
    scaling_name: pulumi.Output[str]
    """What the node autoscaler calls it, once it is ready: an Auto Scaling group on AWS, itself on Google Cloud."""


@dataclass(frozen=True)
class NodePoolRef:
    """A pool that takes pods; `taint_keys` are what a pod must tolerate."""

    groups: tuple[NodeGroupRef, ...]
    """First choice first."""
    serves: str
    """Which services' replicas it takes, by their `accelerator`; empty for the pool that carries everything else."""
    room: Room
    """What any machine leaves to the fleet."""
    max_nodes: int
    """Most machines, over all groups together."""
    taint_keys: tuple[str, ...]
    ready: pulumi.Output[str]
    compute_class: str = ""
    """The compute class that pods must ask for, where the cloud's autoscaler is told the groups' order by one."""


@dataclass(frozen=True)
class NodePoolsRef:
    """The stack's pools by key."""

    pools: Mapping[str, NodePoolRef]


@dataclass(frozen=True)
class BucketRef:
    """A bucket that is encrypted, versioned and private by the time `id` resolves."""

    name: str
    uri: str
    """`s3://name` or `gs://name`."""
    region: str
    id: pulumi.Output[str]


@dataclass(frozen=True)
class StorageRef:
    """The model bucket, and its copy in the backup region."""

    models: BucketRef
    replica: BucketRef
    access_logs: pulumi.Output[str]
    """The bucket in the stack's region that access logs of buckets may go to."""
    copy_job: str = ""
    """The job that copies models to the replica; empty where the bucket itself does."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Variables that a reader of the buckets needs."""
    doors: tuple[Door, ...] = ()
    """Where the buckets are reached."""


@dataclass(frozen=True)
class RegistryRef:
    """The stack's registry: repositories for the serving image and for copies of the public ones, in both regions."""

    here: RegistryAddress
    """In the stack's region: what the cluster pulls from."""
    away: RegistryAddress
    """In the backup region: what a cluster that is made there pulls from."""
    id: pulumi.Output[str]

    @property
    def url(self) -> str:
        """The serving image's repository: an image is `<url>@<digest>`."""
        return self.here.serving

    @property
    def backup_url(self) -> str:
        """The serving image's repository in the backup region."""
        return self.away.serving

    def mirrored(self, image: PublicImage) -> str:
        """Where the private network pulls a public image from."""
        return f"{self.here.mirrored(image)}@{image.digest}"


@dataclass(frozen=True)
class AuditRef:
    """The record of who read and wrote what, in storage that nobody changes before its time."""

    store: str
    """Known name of the bucket that holds it."""
    id: pulumi.Output[str]


@dataclass(frozen=True)
class IdentityRef:
    """A read-only cloud identity that one Kubernetes service account, and no other, may assume."""

    namespace: str
    service_account: str
    annotations: Mapping[str, pulumi.Output[str]]
    """What the service account must bear for the binding to work; empty where the cloud binds by itself."""
    principal: pulumi.Output[str]
    credentials: tuple[Door, ...]
    """Where its pods are handed their credentials."""
    ready: pulumi.Output[str]
    """Resolves when pods of the service account get the identity, with its rights in force. A pod that starts before
    never gets it where credentials are injected at its admission; `components.kubernetes.pods.account` waits."""


@dataclass(frozen=True)
class OperatorsRef:
    """Identities that people and pipelines take on for one job each: a role's ARN, or a service account's email."""

    publisher: pulumi.Output[str]
    """Writes releases."""
    feature_writer: pulumi.Output[str]
    """Writes rows of the feature store, and reads them back."""
    drill: pulumi.Output[str]
    """Reads the model bucket, its copy and the recovery points, and restores them to resources of a drill's own."""


@dataclass(frozen=True)
class BackupRef:
    """Scheduled recovery points, with copies in the backup region."""

    plan: str
    """Known name of the plan or schedule."""
    restore_identity: pulumi.Output[str] | None
    """Whom a restore runs as; None where it runs as whoever asks for it."""
    vault: str
    """Known name of where the copies lie in the backup region: a vault on AWS, a bucket on Google Cloud."""
    region: str
    rpo_minutes: int
    """The recovery point objective: after as long without a new copy, someone is told."""
    id: pulumi.Output[str]
    exports: pulumi.Output[str] | None = None
    """The bucket that the feature store is exported to, once it is there; None where its copies lie in no bucket."""


@dataclass(frozen=True)
class MonitoringRef:
    """Log retention and the channel that alerts go to."""

    channel: pulumi.Output[str]


@dataclass(frozen=True)
class VariantRef:
    """One set of replicas of a service, and the release that it serves."""

    deployment: str
    service: str
    """The Kubernetes Service that its replicas answer behind."""
    model_release: str
    manifest_sha256: str
    signers: tuple[str, ...]


@dataclass(frozen=True)
class ServiceRef:
    """One service of the fleet."""

    variants: Mapping[str, VariantRef]
    """`stable`, and the challengers by name."""


@dataclass(frozen=True)
class FleetRef:
    """A fleet that answers requests inside the cluster."""

    namespace: str
    services: Mapping[str, ServiceRef]
    drilled_service: str
    """The service whose golden answers drills and demos ask for."""
    ready: pulumi.Output[str] = field(repr=False)
