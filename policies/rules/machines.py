"""Machines: verified software, encrypted disks, upkeep, and GPUs for who asks for them only."""

from __future__ import annotations

from components.contracts.machines import MACHINES
from components.contracts.serving import GPU_TAINT_KEY
from components.contracts.vocabulary import Cloud
from policies.checks import (
    ABSENT,
    PASS,
    absent_or,
    all_of,
    any_of,
    equals,
    expect,
    failed,
    items,
    not_applicable,
    one_of,
    read,
    shown,
    unreadable,
)
from policies.examples import Hidden, Output, both, drop, examples, given, plus, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import EC2_LAUNCH_TEMPLATE, EKS_NODE_GROUP, GKE_NODE_POOL

family = Family("Machines")

_GPU_HELD = "Without a taint any pod may hold a GPU machine up, at its price."
_GPU_REMEDY = f"Add a NO_SCHEDULE taint on {GPU_TAINT_KEY}."
_TAINT = {"key": GPU_TAINT_KEY, "effect": "NO_SCHEDULE"}
_GCP_GPUS, _GCP_TAINTS = "nodeConfig.guestAccelerators", "nodeConfig.taints"
_BOOT = "nodeConfig.shieldedInstanceConfig"


def _gpu_tainted(pool: Resource, taints: str, *, has_gpu: bool) -> Judgement:
    """Whether a pool with GPUs has a taint that keeps other pods away."""
    required = f"a NO_SCHEDULE taint on {GPU_TAINT_KEY}"
    if not has_gpu:
        return not_applicable("the pool has no GPU")
    effects = ("NO_SCHEDULE", "NO_EXECUTE")
    return unreadable(pool, taints, required) or any_of(
        (
            all_of((equals(pool, f"{taint}.key", GPU_TAINT_KEY), one_of(pool, f"{taint}.effect", effects)))
            for taint in items(pool, taints)
        ),
        otherwise=failed(taints, shown(read(pool, taints)), required),
    )


@family.rule(
    "aws-eks-gpu-pool-tainted",
    Severity.MEDIUM,
    "EKS GPU pools are tainted",
    types=(EKS_NODE_GROUP,),
    rationale=_GPU_HELD,
    remedy=_GPU_REMEDY,
    examples=lambda: examples(
        given(EKS_NODE_GROUP, {"instanceTypes": ["g6.xlarge"], "taints": [_TAINT]}),
        broken={
            "taints is absent": drop("taints"),
            'taints is [{"key": "nvidia.com/gpu", "effect": "PREFER_NO_SCHEDULE"}]': put(
                "taints.0.effect", "PREFER_NO_SCHEDULE"
            ),
            'taints is [{"key": "other", "effect": "NO_SCHEDULE"}]': put("taints.0.key", "other"),
        },
        undecided={
            "taints is known only to the provider": put("taints", Hidden()),
            "instanceTypes is known only to the provider": put("instanceTypes", Hidden()),
        },
        accepted={"the pool has no GPU": (put("instanceTypes", ["m7i.large"]), put("instanceTypes", ["unheard.of"]))},
    ),
)
def eks_gpu_pool_tainted(group: Resource, _: Inventory) -> Judgement:
    machines = (MACHINES[Cloud.AWS].get(str(read(group, path))) for path in items(group, "instanceTypes"))
    has_gpu = any(machine and machine.accelerator for machine in machines)
    hidden = (unreadable(group, path, "named types") for path in ("instanceTypes", *items(group, "instanceTypes")))
    return next((judged for judged in hidden if judged), None) or _gpu_tainted(group, "taints", has_gpu=has_gpu)


@family.rule(
    "gcp-gke-gpu-pool-tainted",
    Severity.MEDIUM,
    "GKE GPU pools are tainted",
    types=(GKE_NODE_POOL,),
    rationale=_GPU_HELD,
    remedy=_GPU_REMEDY,
    examples=lambda: examples(
        given(GKE_NODE_POOL, {_GCP_GPUS: [{"type": "nvidia-l4", "count": 1}], _GCP_TAINTS: [_TAINT]}),
        broken={f"{_GCP_TAINTS} is absent": drop(_GCP_TAINTS)},
        undecided={f"{_GCP_GPUS} is known only to the provider": put(_GCP_GPUS, Hidden())},
        accepted={"the pool has no GPU": drop(_GCP_GPUS)},
    ),
)
def gke_gpu_pool_tainted(pool: Resource, _: Inventory) -> Judgement:
    has_gpu = any(items(pool, _GCP_GPUS))
    return unreadable(pool, _GCP_GPUS, "named GPUs") or _gpu_tainted(pool, _GCP_TAINTS, has_gpu=has_gpu)


@family.rule(
    "aws-eks-nodes-from-template",
    Severity.MEDIUM,
    "EKS node groups start from a launch template of the stack",
    types=(EKS_NODE_GROUP,),
    rationale="Without one, AWS' defaults decide on metadata access and disk encryption.",
    remedy="Set launchTemplate on the node group.",
    examples=lambda: examples(
        given(EKS_NODE_GROUP, {"launchTemplate.id": Output(EC2_LAUNCH_TEMPLATE)}),
        broken={
            "launchTemplate is absent": drop("launchTemplate"),
            'launchTemplate is {"id": "lt-1"}': put("launchTemplate.id", "lt-1"),
        },
        accepted={
            "": both(
                put("launchTemplate", {"name": "gpu"}), plus(given(EC2_LAUNCH_TEMPLATE, {"name": "gpu"}, "by-name"))
            )
        },
    ),
)
def eks_nodes_from_template(group: Resource, inventory: Inventory) -> Judgement:
    path, required = "launchTemplate", "a launch template of this stack, where metadata and volumes are secured"
    if read(group, path) is not ABSENT and inventory.linked(group, path, EC2_LAUNCH_TEMPLATE):
        return PASS
    names = [str(read(template, "name")) for template in inventory.of_type(EC2_LAUNCH_TEMPLATE)]
    return PASS if read(group, f"{path}.name") in names else failed(path, shown(read(group, path)), required)


@family.rule(
    "aws-eks-node-volumes-encrypted",
    Severity.MEDIUM,
    "EKS machines have encrypted volumes",
    types=(EC2_LAUNCH_TEMPLATE,),
    rationale="Models and container layers lie on the volume, and stay there when it is detached.",
    remedy="Set ebs.encrypted on each block device of the launch template.",
    examples=lambda: examples(
        given(EC2_LAUNCH_TEMPLATE, {"blockDeviceMappings.0.ebs.encrypted": "true"}),
        broken={
            "blockDeviceMappings is absent": drop("blockDeviceMappings"),
            'blockDeviceMappings.0.ebs.encrypted is "false"': put("blockDeviceMappings.0.ebs.encrypted", "false"),
            "blockDeviceMappings.1.ebs.encrypted is absent": put("blockDeviceMappings.1.ebs.volumeSize", 100),
        },
    ),
)
def eks_node_volumes_encrypted(template: Resource, _: Inventory) -> Judgement:
    volumes = list(items(template, "blockDeviceMappings"))
    if not volumes:
        return expect(template, "blockDeviceMappings", "an encrypted volume", lambda _: False)
    return all_of(
        expect(template, f"{volume}.ebs.encrypted", "true", lambda v: v in (True, "true")) for volume in volumes
    )


@family.rule(
    "gcp-gke-shielded-nodes",
    Severity.MEDIUM,
    "GKE machines boot verified software only",
    types=(GKE_NODE_POOL,),
    rationale="A changed boot loader or kernel survives everything that is done above it.",
    remedy="Set shieldedInstanceConfig.enableSecureBoot, and leave integrity monitoring on.",
    frameworks={
        Framework.CIS_GKE: ("5.5.5", "5.5.6", "5.5.7"),
        Framework.CHECKOV: ("CKV_GCP_68", "CKV_GCP_71", "CKV_GCP_72"),
    },
    examples=lambda: examples(
        given(GKE_NODE_POOL, {f"{_BOOT}.enableSecureBoot": True, f"{_BOOT}.enableIntegrityMonitoring": True}),
        broken={
            f"{_BOOT}.enableSecureBoot is false": put(f"{_BOOT}.enableSecureBoot", False),
            f"{_BOOT}.enableSecureBoot is absent": drop(f"{_BOOT}.enableSecureBoot"),
            f"{_BOOT}.enableIntegrityMonitoring is false": put(f"{_BOOT}.enableIntegrityMonitoring", False),
        },
        accepted={
            f"{_BOOT}.enableIntegrityMonitoring is left to its safe default": drop(
                f"{_BOOT}.enableIntegrityMonitoring"
            )
        },
    ),
)
def gke_shielded_nodes(pool: Resource, _: Inventory) -> Judgement:
    integrity = f"{_BOOT}.enableIntegrityMonitoring"
    return all_of(
        (
            equals(pool, f"{_BOOT}.enableSecureBoot", True),
            absent_or(pool, integrity, lambda: equals(pool, integrity, True)),
        )
    )


def _flex_start(pool: Resource, _: Inventory) -> str:
    is_one = read(pool, "nodeConfig.flexStart") is True
    return "a flex-start machine goes after seven days, and GKE does not repair it before" if is_one else ""


family.require(
    "gcp-gke-node-upkeep",
    Severity.MEDIUM,
    "GKE repairs and upgrades machines",
    type=GKE_NODE_POOL,
    inputs={"management.autoRepair": (True, False), "management.autoUpgrade": (True, False)},
    rationale="A machine that nobody repairs fails silently; one that nobody upgrades keeps its holes.",
    remedy="Set management.autoRepair and management.autoUpgrade.",
    unless=_flex_start,
    accepted=lambda: {
        "a flex-start machine goes after seven days, and GKE does not repair it before": both(
            put("nodeConfig.flexStart", True), put("management.autoRepair", False)
        )
    },
    frameworks={Framework.CIS_GKE: ("5.5.2", "5.5.3"), Framework.CHECKOV: ("CKV_GCP_9", "CKV_GCP_10")},
)
