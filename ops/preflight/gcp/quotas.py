"""Quotas at the pools' maxima, in both regions and over all of them, less what the stack's own nodes already use.

Metrics: Compute Engine API, `Quota.metric` of `regions.get` and `projects.get`; newer accelerators have one quota for
each family, in Cloud Quotas alone (cloud.google.com/compute/resource-usage, read 2026-11-21 in code that asks for
them). New projects begin at 0 or 1 for each GPU, and at 0 for `GPUS_ALL_REGIONS`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.contracts.vocabulary import Cloud
from ops.preflight.gcp.reader import GcpReader
from ops.preflight.model import Finding, missing, ok, unknown
from ops.preflight.wanted import Machines, Wanted

OWN_METRIC: Final[Mapping[str, str]] = {
    "nvidia-l4": "NVIDIA_L4_GPUS",
    "nvidia-tesla-t4": "NVIDIA_T4_GPUS",
    "nvidia-tesla-a100": "NVIDIA_A100_GPUS",
    "nvidia-a100-80gb": "NVIDIA_A100_80GB_GPUS",
}
"""Accelerator → its metric in `regions.get`; spot machines count against the same with PREEMPTIBLE_ before it."""
FAMILY: Final[Mapping[str, str]] = {
    "nvidia-h100-80gb": "NVIDIA_H100",
    "nvidia-h200-141gb": "NVIDIA_H200",
    "nvidia-b200": "NVIDIA_B200",
    "nvidia-rtx-pro-6000": "NVIDIA_RTX_PRO_6000",
}
"""Accelerator → its family in Cloud Quotas; spot: `PREEMPTIBLE_<family>_GPUS` of `regions.get` (believed)."""
FAMILY_QUOTA: Final = "GPUS-PER-GPU-FAMILY-per-project-region"

PUBLIC_DOOR: Final = ("EXTERNAL_NETWORK_LB_FORWARDING_RULES", "IN_USE_ADDRESSES")
"""What the load balancer of a public door takes in its region: a forwarding rule ("Cloud Load Balancing quotas": by
region and project; read 2026-11-22), and the address that comes with it (believed to count as one in use).

An internal one counts for its network alone (`INTERNAL_FORWARDING_RULES_PER_NETWORK`, the same page), which is the
stack's own and has no other."""
_SHARED_CPUS: Final = "CPUS"
_GPUS: Final = "GPUS_ALL_REGIONS"
_CPUS: Final = "CPUS_ALL_REGIONS"


def quotas(reader: GcpReader, wanted: Wanted, region: str) -> Iterator[Finding]:
    """The machines' quotas in one region."""
    if not wanted.machines:
        return
    answer = reader.get("compute", f"compute/v1/projects/{wanted.account}/regions/{region}")
    limits = _limits(answer)
    own = _own(reader, wanted, region, limits)
    for metric, needs in sorted(wanted_by_metric(wanted.machines, limits).items()):
        yield _compared(wanted, metric, needs, limits, own.get(metric, 0), region)
    if wanted.door.get("public") and region == wanted.region:
        for metric in PUBLIC_DOOR:
            # Compute Engine does not tell whose a forwarding rule is: a stack that has machines has its own.
            yield _compared(wanted, metric, 1, limits, min(1, len(own)), region)
    for family, needs in sorted(_by_family(wanted.machines).items()):
        yield family_quota(reader, wanted, family, needs, region)
    unknown_types = {m.accelerator for m in wanted.machines if m.accelerator} - OWN_METRIC.keys() - FAMILY.keys()
    for accelerator in sorted(unknown_types):
        yield unknown(
            f"{region}: {accelerator}",
            "no quota is on record for it",
            f"Add it to ops/preflight/gcp/quotas.py, and see `gcloud compute regions describe {region}`.",
        )


def global_quotas(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """The project's quotas over all regions."""
    if not wanted.machines:
        return
    limits = _limits(reader.get("compute", f"compute/v1/projects/{wanted.account}"))
    gpus = _most_by_pool(wanted.machines, lambda m: m.most * m.accelerators_each)
    cpus = _most_by_pool(wanted.machines, lambda m: m.vcpus(Cloud.GCP))
    own = _own(reader, wanted, wanted.region, limits)
    if gpus:
        yield _compared(wanted, _GPUS, gpus, limits, own.get(_GPUS, 0), "")
    yield _compared(wanted, _CPUS, cpus, limits, own.get(_CPUS, 0), "")


def wanted_by_metric(machines: tuple[Machines, ...], limits: Mapping[str, Any]) -> dict[str, int]:
    """Metric → what the pools need at their maxima; choices within one pool count once, the largest."""
    per_pool: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for group in machines:
        for metric, needs in _metrics_of(group, limits).items():
            pools = per_pool[metric]
            pools[group.pool] = max(pools[group.pool], needs)
    return {metric: sum(pools.values()) for metric, pools in per_pool.items()}


def _metrics_of(group: Machines, limits: Mapping[str, Any]) -> dict[str, int]:
    needs = {_cpu_metric(group, limits): group.vcpus(Cloud.GCP), "SSD_TOTAL_GB": group.most * group.disk_gib}
    if group.accelerator in OWN_METRIC:
        spot = "PREEMPTIBLE_" if group.spot else ""
        needs[f"{spot}{OWN_METRIC[group.accelerator]}"] = group.most * group.accelerators_each
    elif group.accelerator in FAMILY and group.spot:
        needs[f"PREEMPTIBLE_{FAMILY[group.accelerator]}_GPUS"] = group.most * group.accelerators_each
    return {metric: count for metric, count in needs.items() if count}


def _cpu_metric(group: Machines, limits: Mapping[str, Any]) -> str:
    """A series has a metric of its own where the region's answer lists one; else it counts as CPUS (believed). Spot
    machines count against PREEMPTIBLE_CPUS where the project has such a quota."""
    if group.spot and limits.get("PREEMPTIBLE_CPUS", {}).get("limit"):
        return "PREEMPTIBLE_CPUS"
    series = f"{group.machine_type.partition('-')[0].upper()}_CPUS"
    return series if series in limits else _SHARED_CPUS


def _by_family(machines: tuple[Machines, ...]) -> dict[str, int]:
    families: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for group in machines:
        if group.accelerator in FAMILY and not group.spot:
            pools = families[FAMILY[group.accelerator]]
            pools[group.pool] = max(pools[group.pool], group.most * group.accelerators_each)
    return {family: sum(pools.values()) for family, pools in families.items()}


def _most_by_pool(machines: tuple[Machines, ...], count: Any) -> int:
    pools: dict[str, int] = defaultdict(int)
    for group in machines:
        pools[group.pool] = max(pools[group.pool], count(group))
    return sum(pools.values())


def _limits(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {str(quota["metric"]): quota for quota in answer.get("quotas", ())}


def _own(reader: GcpReader, wanted: Wanted, region: str, limits: Mapping[str, Any]) -> dict[str, int]:
    """What the stack's own nodes use already of each metric."""
    used: dict[str, int] = defaultdict(int)
    for cluster in wanted.named("gcp:container/cluster:Cluster", "name"):
        nodes = reader.aggregated("instances", "instances", f"labels.goog-k8s-cluster-name={cluster}")
        for where, instances in nodes.items():
            if where.startswith(f"zones/{region}-"):
                for instance in instances:
                    _count(instance, limits, used)
    return used


def _count(instance: Mapping[str, Any], limits: Mapping[str, Any], used: dict[str, int]) -> None:
    scheduling = instance.get("scheduling", {})
    accelerators = instance.get("guestAccelerators", ())
    group = Machines(
        pool="",
        machine_type=str(instance["machineType"]).rpartition("/")[2],
        spot=scheduling.get("provisioningModel") == "SPOT",
        most=1,
        zones=(),
        disk_gib=sum(int(disk.get("diskSizeGb", 0)) for disk in instance.get("disks", ())),
        accelerator=str(accelerators[0]["acceleratorType"]).rpartition("/")[2] if accelerators else "",
        accelerators_each=int(accelerators[0]["acceleratorCount"]) if accelerators else 0,
    )
    for metric, count in _metrics_of(group, limits).items():
        used[metric] += count
    used[_GPUS] += group.accelerators_each
    used[_CPUS] += group.vcpus(Cloud.GCP)


def _compared(wanted: Wanted, metric: str, needs: int, limits: Mapping[str, Any], own: int, region: str) -> Finding:
    subject = f"{region or 'all regions'}: {metric}"
    if metric not in limits:
        where = f"regions describe {region}" if region else "project-info describe"
        said = f"{needs} needed, and the project's answer has no such quota"
        return unknown(subject, said, f"gcloud compute {where} --project={wanted.account} --format=json")
    limit, usage = float(limits[metric]["limit"]), float(limits[metric].get("usage", 0))
    others = max(usage - own, 0)
    said = f"{needs} needed{f' beside {others:g} in use' if others else ''}, quota {limit:g}"
    if needs + others <= limit:
        return ok(subject, said)
    return missing(subject, said, _increase(wanted, metric, int(needs + others), region))


def _increase(wanted: Wanted, metric: str, value: int, region: str) -> str:
    quota = f"{metric.replace('_', '-')}-per-project{'-region' if region else ''}"
    dimensions = f" --dimensions=region={region}" if region else ""
    return _request(wanted.account, quota, value, dimensions)


def _request(project: str, quota: str, value: int, dimensions: str) -> str:
    return (
        f"gcloud beta quotas preferences create --project={project} --service=compute.googleapis.com "
        f"--quota-id={quota} --preferred-value={value}{dimensions}"
    )


def family_quota(reader: GcpReader, wanted: Wanted, family: str, needs: int, region: str) -> Finding:
    """Whether a family's quota, which Cloud Quotas alone tells, holds what the pools need. Raises Unread."""
    subject = f"{region}: {family} GPUs"
    path = f"v1/projects/{wanted.account}/locations/global/services/compute.googleapis.com/quotaInfos/{FAMILY_QUOTA}"
    info = reader.get("cloudquotas", path)
    values = [
        int(entry["details"]["value"])
        for entry in info.get("dimensionsInfos", ())
        if entry.get("dimensions", {}).get("gpu_family") == family and region in entry.get("applicableLocations", ())
    ]
    limit = max(values, default=0)
    said = f"{needs} needed, quota {limit} (what others use of it is not told)"
    if 0 <= limit < needs:
        dimensions = f" --dimensions=region={region},gpu_family={family}"
        return missing(subject, said, _request(wanted.account, FAMILY_QUOTA, needs, dimensions))
    return ok(subject, said)
