"""Rules for GKE, its machines and its registry."""

from __future__ import annotations

from components.contracts.serving import GPU_TAINT_KEY
from components.contracts.vocabulary import OptOut
from policies.checks import (
    ABSENT,
    absent_or,
    all_of,
    any_of,
    equals,
    expect,
    failed,
    is_hidden,
    items,
    not_applicable,
    one_of,
    passed,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.inventory import Inventory, Resource
from policies.links import customer_key
from policies.model import Framework, Judgement, Rule, Severity
from policies.settings_view import SettingsView

CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"
REPOSITORY = "gcp:artifactregistry/repository:Repository"

_ANYWHERE = ("0.0.0.0/0", "::/0")


def _private_nodes(cluster: Resource, _: Inventory) -> Judgement:
    return equals(cluster, "privateClusterConfig.enablePrivateNodes", True)


def _endpoint_closed(cluster: Resource, _: Inventory) -> Judgement:
    if read(cluster, "privateClusterConfig.enablePrivateEndpoint") is True:
        return passed("the endpoint is private")
    path, required = "masterAuthorizedNetworksConfig", "a private endpoint, or named networks"
    if read(cluster, path) is ABSENT:
        return failed(path, "absent, so every address", required)
    blocks = f"{path}.cidrBlocks"
    return unreadable(cluster, blocks, required) or all_of(
        expect(cluster, f"{block}.cidrBlock", required, lambda v: v not in _ANYWHERE)
        for block in items(cluster, blocks)
    )


def _workload_identity(cluster: Resource, _: Inventory) -> Judgement:
    path = "workloadIdentityConfig.workloadPool"
    return expect(cluster, path, "the project's workload pool", lambda v: v.endswith(".svc.id.goog"))


def _secrets_encrypted(cluster: Resource, inventory: Inventory) -> Judgement:
    return all_of(
        (
            equals(cluster, "databaseEncryption.state", "ENCRYPTED"),
            customer_key(inventory, cluster, "databaseEncryption.keyName"),
        )
    )


def _observed(cluster: Resource, _: Inventory) -> Judgement:
    return all_of(
        (
            _enables(cluster, "loggingConfig.enableComponents", ("SYSTEM_COMPONENTS", "WORKLOADS")),
            _enables(cluster, "monitoringConfig.enableComponents", ("SYSTEM_COMPONENTS",)),
        )
    )


def _enables(cluster: Resource, path: str, components: tuple[str, ...]) -> Judgement:
    return expect(cluster, path, "at least " + ", ".join(components), lambda v: set(components) <= set(v))


def _deletion_protected(cluster: Resource, inventory: Inventory) -> Judgement:
    reason = SettingsView.of(inventory.settings).opt_outs.get(OptOut.DELETION_PROTECTION)
    if reason:
        return not_applicable(f"the stack's settings opt out of deletion protection: {reason}")
    path = "deletionProtection"
    return absent_or(cluster, path, lambda: equals(cluster, path, True))


def _channel(cluster: Resource, _: Inventory) -> Judgement:
    return one_of(cluster, "releaseChannel.channel", ("STABLE", "REGULAR", "RAPID", "EXTENDED"))


def _shielded(pool: Resource, _: Inventory) -> Judgement:
    base = "nodeConfig.shieldedInstanceConfig"
    return all_of(
        (equals(pool, f"{base}.enableSecureBoot", True), _integrity(pool, f"{base}.enableIntegrityMonitoring"))
    )


def _integrity(pool: Resource, path: str) -> Judgement:
    return absent_or(pool, path, lambda: equals(pool, path, True))


def _own_account(pool: Resource, inventory: Inventory) -> Judgement:
    path = "nodeConfig.serviceAccount"
    required = "a service account of this stack"
    value = read(pool, path)
    if is_hidden(value):
        own = inventory.linked(pool, "nodeConfig", "gcp:serviceaccount/account:Account")
        return passed(f"{own[0].name}") if own else unknown(path, required)
    return expect(
        pool, path, required, lambda v: v != "default" and not v.endswith("-compute@developer.gserviceaccount.com")
    )


def _metadata_hidden(pool: Resource, _: Inventory) -> Judgement:
    return equals(pool, "nodeConfig.workloadMetadataConfig.mode", "GKE_METADATA")


def _boot_disk_key(pool: Resource, inventory: Inventory) -> Judgement:
    return customer_key(inventory, pool, "nodeConfig.bootDiskKmsKey")


def _repaired(pool: Resource, _: Inventory) -> Judgement:
    return all_of((equals(pool, "management.autoRepair", True), equals(pool, "management.autoUpgrade", True)))


def _gpu_tainted(pool: Resource, _: Inventory) -> Judgement:
    required = f"a NO_SCHEDULE taint on {GPU_TAINT_KEY}"
    gpus, taints = "nodeConfig.guestAccelerators", "nodeConfig.taints"
    hidden = unreadable(pool, gpus, required) or unreadable(pool, taints, required)
    if hidden:
        return hidden
    if not list(items(pool, gpus)):
        return not_applicable("the pool has no GPU")
    return any_of(
        (
            all_of(
                (
                    equals(pool, f"{taint}.key", GPU_TAINT_KEY),
                    one_of(pool, f"{taint}.effect", ("NO_SCHEDULE", "NO_EXECUTE")),
                )
            )
            for taint in items(pool, taints)
        ),
        otherwise=failed(taints, shown(read(pool, taints)), required),
    )


def _registry_key(repository: Resource, inventory: Inventory) -> Judgement:
    return customer_key(inventory, repository, "kmsKeyName")


def _registry_immutable(repository: Resource, _: Inventory) -> Judgement:
    if read(repository, "mode") in ("REMOTE_REPOSITORY", "VIRTUAL_REPOSITORY"):
        return not_applicable("a mirror takes its tags from elsewhere")
    return equals(repository, "dockerConfig.immutableTags", True)


GCP_CLUSTER: tuple[Rule, ...] = (
    Rule(
        id="gcp-gke-endpoint-closed",
        severity=Severity.CRITICAL,
        title="The GKE endpoint is not open to the world",
        rationale="An open control plane is one stolen token or one vulnerability away from the whole cluster.",
        remedy="Set enablePrivateEndpoint, or name the networks in masterAuthorizedNetworksConfig.",
        types=(CLUSTER,),
        check=_endpoint_closed,
        frameworks={
            Framework.CIS_GKE: ("5.6.3", "5.6.4"),
            Framework.CHECKOV: ("CKV_GCP_18", "CKV_GCP_20", "CKV_GCP_25"),
        },
    ),
    Rule(
        id="gcp-gke-private-nodes",
        severity=Severity.HIGH,
        title="GKE machines have no public address",
        rationale="A machine with a public address can be attacked without going through anything.",
        remedy="Set privateClusterConfig.enablePrivateNodes.",
        types=(CLUSTER,),
        check=_private_nodes,
        frameworks={Framework.CIS_GKE: ("5.6.5",), Framework.CHECKOV: ("CKV_GCP_64",)},
    ),
    Rule(
        id="gcp-gke-workload-identity",
        severity=Severity.HIGH,
        title="GKE pods have identities of their own",
        rationale="Without Workload Identity all pods share the machine's rights, or carry key files.",
        remedy="Set workloadIdentityConfig.workloadPool.",
        types=(CLUSTER,),
        check=_workload_identity,
        frameworks={Framework.CIS_GKE: ("5.2.2",), Framework.CHECKOV: ("CKV_GCP_69",)},
    ),
    Rule(
        id="gcp-gke-secrets-encrypted",
        severity=Severity.HIGH,
        title="Kubernetes secrets in GKE are encrypted with a customer-managed key",
        rationale="Without it, whoever reads etcd's storage reads every credential in the cluster.",
        remedy="Set databaseEncryption with the state ENCRYPTED and the stack's cluster key.",
        types=(CLUSTER,),
        check=_secrets_encrypted,
        frameworks={Framework.CIS_GKE: ("5.3.1",)},
    ),
    Rule(
        id="gcp-gke-observed",
        severity=Severity.MEDIUM,
        title="GKE sends logs and metrics",
        rationale="Without them nobody can say what happened in the cluster.",
        remedy="List SYSTEM_COMPONENTS and WORKLOADS in loggingConfig, SYSTEM_COMPONENTS in monitoringConfig.",
        types=(CLUSTER,),
        check=_observed,
        frameworks={Framework.CIS_GKE: ("5.7.1",), Framework.CHECKOV: ("CKV_GCP_1", "CKV_GCP_8")},
    ),
    Rule(
        id="gcp-gke-deletion-protection",
        severity=Severity.HIGH,
        title="GKE clusters cannot be deleted by mistake",
        rationale="A replaced or destroyed cluster takes the whole service with it.",
        remedy="Set deletionProtection, or opt out in the settings with a reason.",
        types=(CLUSTER,),
        check=_deletion_protected,
    ),
    Rule(
        id="gcp-gke-release-channel",
        severity=Severity.LOW,
        title="GKE clusters follow a release channel",
        rationale="A cluster without a channel stays behind until its version is no longer supported.",
        remedy="Set releaseChannel.channel.",
        types=(CLUSTER,),
        check=_channel,
        frameworks={Framework.CIS_GKE: ("5.5.4",), Framework.CHECKOV: ("CKV_GCP_70",)},
    ),
    Rule(
        id="gcp-gke-shielded-nodes",
        severity=Severity.MEDIUM,
        title="GKE machines boot verified software only",
        rationale="A changed boot loader or kernel survives everything that is done above it.",
        remedy="Set shieldedInstanceConfig.enableSecureBoot, and leave integrity monitoring on.",
        types=(NODE_POOL,),
        check=_shielded,
        frameworks={
            Framework.CIS_GKE: ("5.5.5", "5.5.6", "5.5.7"),
            Framework.CHECKOV: ("CKV_GCP_68", "CKV_GCP_71", "CKV_GCP_72"),
        },
    ),
    Rule(
        id="gcp-gke-node-own-account",
        severity=Severity.HIGH,
        title="GKE machines do not use the default service account",
        rationale="The default account may edit the whole project.",
        remedy="Set nodeConfig.serviceAccount to an account with the few roles that nodes need.",
        types=(NODE_POOL,),
        check=_own_account,
        frameworks={Framework.CIS_GKE: ("5.2.1",)},
    ),
    Rule(
        id="gcp-gke-node-metadata-hidden",
        severity=Severity.HIGH,
        title="GKE pods cannot read the machine's credentials",
        rationale="The machine's metadata server hands its service account's token to any pod that asks.",
        remedy='Set workloadMetadataConfig.mode to "GKE_METADATA".',
        types=(NODE_POOL,),
        check=_metadata_hidden,
        frameworks={Framework.CIS_GKE: ("5.2.2",), Framework.CHECKOV: ("CKV_GCP_69",)},
    ),
    Rule(
        id="gcp-gke-node-disk-customer-key",
        severity=Severity.MEDIUM,
        title="GKE machines' disks are encrypted with a customer-managed key",
        rationale="Models and container layers lie on the disk.",
        remedy="Set nodeConfig.bootDiskKmsKey to the stack's cluster key.",
        types=(NODE_POOL,),
        check=_boot_disk_key,
    ),
    Rule(
        id="gcp-gke-node-upkeep",
        severity=Severity.MEDIUM,
        title="GKE repairs and upgrades machines",
        rationale="A machine that nobody repairs fails silently; one that nobody upgrades keeps its holes.",
        remedy="Set management.autoRepair and management.autoUpgrade.",
        types=(NODE_POOL,),
        check=_repaired,
        frameworks={Framework.CIS_GKE: ("5.5.2", "5.5.3"), Framework.CHECKOV: ("CKV_GCP_9", "CKV_GCP_10")},
    ),
    Rule(
        id="gcp-gke-gpu-pool-tainted",
        severity=Severity.MEDIUM,
        title="GKE GPU pools are tainted",
        rationale="Without a taint any pod may hold a GPU machine up, at its price.",
        remedy=f"Add a NO_SCHEDULE taint on {GPU_TAINT_KEY}.",
        types=(NODE_POOL,),
        check=_gpu_tainted,
    ),
    Rule(
        id="gcp-registry-customer-key",
        severity=Severity.MEDIUM,
        title="Artifact Registry repositories are encrypted with a customer-managed key",
        rationale="Images carry code and models; a key of one's own can be audited and withdrawn.",
        remedy="Set kmsKeyName to the stack's key.",
        types=(REPOSITORY,),
        check=_registry_key,
    ),
    Rule(
        id="gcp-registry-immutable-tags",
        severity=Severity.MEDIUM,
        title="Artifact Registry tags cannot be moved",
        rationale="A moved tag changes what runs without a review.",
        remedy="Set dockerConfig.immutableTags.",
        types=(REPOSITORY,),
        check=_registry_immutable,
    ),
)
