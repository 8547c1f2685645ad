"""Triton's pod: pure functions from a variant of a service, and refs, to the pieces of a Deployment.

Flags, probes and shutdown order follow Triton's own command line and its behaviour on SIGTERM: HTTP refuses new
connections at once, so a pod must leave the load balancer before Triton is told to stop.
"""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    ExecActionArgs,
    LifecycleArgs,
    LifecycleHandlerArgs,
    PodSpecArgs,
    ResourceRequirementsArgs,
    SecretVolumeSourceArgs,
    SleepActionArgs,
    TolerationArgs,
    VolumeArgs,
    VolumeMountArgs,
)

from components.contracts import serving
from components.contracts.apart import rather_apart
from components.contracts.capacity import REPLICA_EXTRA_DISK_GIB, fetcher, replica, server
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.refs import NodePoolRef, NodePoolsRef, StorageRef
from components.contracts.rollout_specs import Canary
from components.contracts.services import ServiceSpec, Variant
from components.kubernetes import contextual, priorities
from components.kubernetes.compute_class import selector
from components.kubernetes.pods import (
    app_labels,
    command_probe,
    container_security,
    pod_security,
    port,
    spread,
)

UID: Final = 1000
"""The user that Triton's deployment guide and this project's Dockerfile run the server as."""
GRPC_CONNECTION_AGE_MS: Final = 300_000
"""Without an age limit a long-lived gRPC connection sticks to one pod behind an L4 balancer."""
STARTUP_PERIOD_SECONDS: Final = 10
STARTUP_ATTEMPTS: Final = 60
"""For loading alone: the release is on the disk before the probe begins."""
RELEASE_DIR: Final = "/var/lib/seawall/release"
SELF_CHECK: Final = (
    "python3",
    "-m",
    "self_check",
    f"--repository={RELEASE_DIR}/repository",
    f"--port={serving.HTTP_PORT}",
)
"""Whether the models answer what their release says: Triton's own health stays good when a model's process is dead
(see the program's own words)."""
PROBE_TIMEOUT_SECONDS: Final = 12
"""Two questions of 5 s each at most, and a program's start."""
FEATURES_DIR: Final = "/etc/seawall/features"


def release_uri(storage: StorageRef, release: str) -> str:
    """Where a release lies."""
    return f"{storage.models.uri}/releases/{release}"


def labels(variant: Variant) -> dict[str, str]:
    """What selects the pods of one variant, and names its objects' owner."""
    return {
        **app_labels(serving.APP),
        serving.SERVICE_LABEL: variant.service,
        serving.VARIANT_LABEL: variant.name,
    }


def fetch_arguments(storage: StorageRef, variant: Variant) -> list[str]:
    """What the init container is told: the release, the only content that it may have, and where it goes."""
    return [
        f"--release={release_uri(storage, variant.release.version)}",
        f"--manifest-sha256={variant.release.manifest_sha256}",
        *([f"--signer={signer}" for signer in variant.release.signers] or ["--unsigned"]),
        f"--into={RELEASE_DIR}",
        f"--region={storage.models.region}",
        f"--limit-bytes={variant.spec.repository_gib * 1024**3}",
    ]


def arguments(spec: ServiceSpec) -> list[str]:
    """The server and its flags, for the image's own entrypoint to run.

    The entrypoint must stay: it is a shell, so it reads the start-up file that puts CUDA's compatibility libraries
    on the library path where the machine's driver is older than the image's CUDA; a `command` would skip that and
    leave the GPU unusable there. It needs no root and writes nothing that it cannot do without (Triton's build.py
    adds only messages and two variables to NVIDIA's), so the file system stays read-only. The GPU's own libraries
    are put in by a hook that runs before runc makes it so.

    It reads no bucket: Triton's S3 client has no EKS Pod Identity, which needs version 1.11.263 of AWS' C++ SDK,
    while Triton has 1.11.60 up to r25.07 (EKS user guide, "Use Pod Identity with the AWS SDK"; Triton's third_party;
    seen on 2.51: the agent is asked without a token, then S3 unsigned; 2026-11-21). Model control is `none`: `poll`
    and `explicit` let whoever writes the repository run code.
    """
    return [
        "tritonserver",
        f"--model-repository={RELEASE_DIR}/repository",
        "--model-control-mode=none",
        "--disable-auto-complete-config",
        "--strict-readiness=true",
        "--exit-on-error=true",
        f"--exit-timeout-secs={spec.exit_timeout_seconds}",
        f"--http-port={serving.HTTP_PORT}",
        f"--grpc-port={serving.GRPC_PORT}",
        f"--metrics-port={serving.METRICS_PORT}",
        f"--grpc-max-connection-age={GRPC_CONNECTION_AGE_MS}",
        f"--grpc-max-connection-age-grace={spec.exit_timeout_seconds * 1000}",
        *rate_limiter_flags(spec),
    ]


def rate_limiter_flags(spec: ServiceSpec) -> list[str]:
    """Triton's rate limiter with each resource's number on every GPU; no flag where none is asked for.

    A resource without a device is one on each (docs.nvidia.com, Triton's user guide, "Rate Limiter", "Resources",
    read 2026-11-22: `--rate-limit-resource=R1:10` gives 10 to both devices).
    """
    if spec.rate_limiter is None:
        return []
    resources = (f"--rate-limit-resource={name}:{count}" for name, count in spec.rate_limiter.resources.items())
    return ["--rate-limit=execution_count", *resources]


def environment(feature_store: FeatureStoreRef, timeout_ms: int) -> list[EnvVarArgs]:
    """What the feature lookup reads."""
    variables: dict[str, pulumi.Input[str]] = {
        serving.FEATURES_KIND: str(feature_store.kind),
        serving.FEATURES_TIMEOUT_MS: str(timeout_ms),
        **feature_store.environment,
        **{file.variable: f"{FEATURES_DIR}/{file.name}" for file in feature_store.secret_files},
    }
    return [EnvVarArgs(name=name, value=value) for name, value in variables.items()]


def resources(spec: ServiceSpec) -> ResourceRequirementsArgs:
    """Memory and GPUs are requested and limited alike, so that a neighbour cannot take them; CPU may burst."""
    asked = server(spec)
    fixed = {
        "memory": f"{asked.memory_mib // 1024}Gi",
        "ephemeral-storage": f"{asked.disk_mib // 1024}Gi",
        **({serving.GPU_RESOURCE: str(asked.gpus)} if asked.gpus else {}),
    }
    return ResourceRequirementsArgs(requests={"cpu": str(asked.cpu_millicores // 1000), **fixed}, limits=fixed)


def fetch_resources(spec: ServiceSpec) -> ResourceRequirementsArgs:
    """Of the init container, which counts into what a replica takes (`components.contracts.capacity.replica`)."""
    asked = fetcher(spec)
    fixed = {"memory": f"{asked.memory_mib}Mi", "ephemeral-storage": f"{asked.disk_mib // 1024}Gi"}
    return ResourceRequirementsArgs(requests={"cpu": f"{asked.cpu_millicores}m", **fixed}, limits=fixed)


def volumes(spec: ServiceSpec, features_secret: str | None) -> list[VolumeArgs]:
    """The release, scratch space, shared memory, and the feature store's credentials if it has any.

    The release lies on the machine's own disk, which is its local NVMe where the pool has one. Each pod fetches
    its own: to share it between the pods of a machine would take a hostPath, which the restricted Pod Security
    Standard refuses, and let one pod change what another serves. It survives a restart of the pod's containers, so
    that a fetch that was killed goes on.
    """
    found = [
        VolumeArgs(name="release", empty_dir=EmptyDirVolumeSourceArgs(size_limit=f"{spec.repository_gib}Gi")),
        VolumeArgs(name="scratch", empty_dir=EmptyDirVolumeSourceArgs(size_limit=f"{REPLICA_EXTRA_DISK_GIB}Gi")),
        VolumeArgs(
            name="shared-memory",
            empty_dir=EmptyDirVolumeSourceArgs(medium="Memory", size_limit=f"{spec.shared_memory_gib}Gi"),
        ),
    ]
    if features_secret:
        found.append(
            VolumeArgs(
                name="features", secret=SecretVolumeSourceArgs(secret_name=features_secret, default_mode=0o440)
            )
        )
    return found


_SCRATCH: Final = VolumeMountArgs(name="scratch", mount_path="/tmp")  # noqa: S108 - the pod's own volume


def mounts(features_secret: str | None) -> list[VolumeMountArgs]:
    """Where `volumes` appear in the serving container, which cannot write to the release."""
    found = [
        VolumeMountArgs(name="release", mount_path=RELEASE_DIR, read_only=True),
        _SCRATCH,
        VolumeMountArgs(name="shared-memory", mount_path="/dev/shm"),  # noqa: S108 - what the Python backend opens
    ]
    if features_secret:
        found.append(VolumeMountArgs(name="features", mount_path=FEATURES_DIR, read_only=True))
    return found


def holding(spec: ServiceSpec, pools: NodePoolsRef) -> list[NodePoolRef]:
    """The pools whose machines have room for a replica."""
    return [p for p in pools.pools.values() if p.serves == str(spec.accelerator) and p.room.holds(replica(spec))]


def node_selector(spec: ServiceSpec, pools: NodePoolsRef) -> dict[str, str]:
    """Machines that serve on the service's accelerator, and, on GKE, the compute class that orders them."""
    return {serving.ACCELERATOR_LABEL: str(spec.accelerator), **selector(holding(spec, pools))}


def tolerations(spec: ServiceSpec, pools: NodePoolsRef) -> list[TolerationArgs]:
    """The taints of those machines."""
    keys = sorted({key for pool in holding(spec, pools) for key in pool.taint_keys})
    return [TolerationArgs(key=key, operator="Exists", effect="NoSchedule") for key in keys]


def before_end(spec: ServiceSpec) -> LifecycleHandlerArgs:
    """What a replica waits for before it is told to end: that the door has left it out.

    Flagger 1.36.1 is built with the API of Kubernetes 1.27 (its go.mod), which does not know `sleep` (1.29): of a
    canary's hook it would copy nothing into the release that it holds, and the API server refuses a hook of nothing.
    """
    if isinstance(spec.traffic, Canary):
        waiting = f"import time; time.sleep({spec.drain_seconds})"
        return LifecycleHandlerArgs(exec_=ExecActionArgs(command=["python3", "-I", "-c", waiting]))
    return LifecycleHandlerArgs(sleep=SleepActionArgs(seconds=spec.drain_seconds))


def pod_spec(
    variant: Variant,
    *,
    image: str,
    storage: StorageRef,
    feature_store: FeatureStoreRef,
    features_secret: str | None,
    pools: NodePoolsRef,
    lookup_timeout_ms: int,
    service_account: pulumi.Input[str],
) -> PodSpecArgs:
    """The whole pod: image by digest, probes, drain before shutdown, and only nodes that serve on its accelerator."""
    spec = variant.spec
    fetch = ContainerArgs(
        name="fetch-release",
        image=image,
        # Not the image's entrypoint: it prepares a GPU, and this container has none.
        command=["python3", "-m", "release_fetch"],
        args=fetch_arguments(storage, variant),
        env=[EnvVarArgs(name=name, value=value) for name, value in storage.environment.items()] or None,
        resources=fetch_resources(spec),
        security_context=container_security(),
        # The line that it ends with stands in the pod's status.
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[VolumeMountArgs(name="release", mount_path=RELEASE_DIR), _SCRATCH],
    )
    container = ContainerArgs(
        name=serving.APP,
        image=image,
        args=arguments(spec),
        env=[*environment(feature_store, lookup_timeout_ms), *contextual.environment(spec.traffic)],
        ports=[
            port("http", serving.HTTP_PORT),
            port("grpc", serving.GRPC_PORT),
            port("metrics", serving.METRICS_PORT),
        ],
        resources=resources(spec),
        security_context=container_security(),
        startup_probe=command_probe(
            SELF_CHECK,
            period_seconds=STARTUP_PERIOD_SECONDS,
            failure_threshold=STARTUP_ATTEMPTS,
            timeout_seconds=PROBE_TIMEOUT_SECONDS,
        ),
        # Not whether the feature store answers: it fails for all replicas at once, and a fleet that says in each
        # answer that it used training means is worth more than none. Alarms watch the counters of lookups.
        readiness_probe=command_probe(
            SELF_CHECK, period_seconds=5, failure_threshold=3, timeout_seconds=PROBE_TIMEOUT_SECONDS
        ),
        liveness_probe=command_probe(
            (*SELF_CHECK, "--alive"), period_seconds=10, failure_threshold=3, timeout_seconds=PROBE_TIMEOUT_SECONDS
        ),
        lifecycle=LifecycleArgs(pre_stop=before_end(spec)),
        volume_mounts=mounts(features_secret),
    )
    return PodSpecArgs(
        service_account_name=service_account,
        automount_service_account_token=False,
        enable_service_links=False,
        termination_grace_period_seconds=spec.termination_seconds,
        security_context=pod_security(UID),
        priority_class_name=priorities.SERVING,
        node_selector=node_selector(spec, pools),
        tolerations=tolerations(spec, pools),
        topology_spread_constraints=spread(rather_apart(labels(variant))),
        init_containers=[fetch],
        containers=[container],
        volumes=volumes(spec, features_secret),
    )
