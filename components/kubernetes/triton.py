"""Triton's pod: pure functions from a fleet's spec and refs to the pieces of a Deployment.

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
    LifecycleArgs,
    LifecycleHandlerArgs,
    PodSpecArgs,
    ResourceRequirementsArgs,
    SecretVolumeSourceArgs,
    SleepActionArgs,
    TolerationArgs,
    TopologySpreadConstraintArgs,
    VolumeArgs,
    VolumeMountArgs,
)

from components.contracts import serving
from components.contracts.capacity import REPLICA_EXTRA_DISK_GIB, fetcher, replicas_per_machine, server
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.refs import NodePoolRef, NodePoolsRef, RegistryRef, StorageRef
from components.contracts.specs import FleetSpec
from components.kubernetes.compute_class import selector
from components.kubernetes.pods import app_labels, container_security, http_probe, pod_security, port, selecting

APP: Final = "triton"
UID: Final = 1000
"""The user that Triton's deployment guide and this project's Dockerfile run the server as."""
GRPC_CONNECTION_AGE_MS: Final = 300_000
"""Without an age limit a long-lived gRPC connection sticks to one pod behind an L4 balancer."""
STARTUP_PERIOD_SECONDS: Final = 10
STARTUP_ATTEMPTS: Final = 60
"""For loading alone: the release is on the disk before the probe begins."""
RELEASE_DIR: Final = "/var/lib/seawall/release"
FEATURES_DIR: Final = "/etc/seawall/features"
SHARED_MEMORY_GIB: Final = 1
"""The Python backend passes tensors through /dev/shm; a container's default of 64 MiB is too small."""


def release_uri(storage: StorageRef, release: str) -> str:
    """Where a release lies."""
    return f"{storage.models.uri}/releases/{release}"


def fetch_arguments(storage: StorageRef, spec: FleetSpec) -> list[str]:
    """What the init container is told: the release, the only content that it may have, and where it goes."""
    return [
        f"--release={release_uri(storage, spec.model_release.version)}",
        f"--manifest-sha256={spec.model_release.manifest_sha256}",
        *([f"--signer={signer}" for signer in spec.model_release.signers] or ["--unsigned"]),
        f"--into={RELEASE_DIR}",
        f"--region={storage.models.region}",
        f"--limit-bytes={spec.repository_gib * 1024**3}",
    ]


def arguments(spec: FleetSpec) -> list[str]:
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
    ]


def environment(feature_store: FeatureStoreRef, timeout_ms: int) -> list[EnvVarArgs]:
    """What the feature lookup reads."""
    variables: dict[str, pulumi.Input[str]] = {
        serving.FEATURES_KIND: str(feature_store.kind),
        serving.FEATURES_TIMEOUT_MS: str(timeout_ms),
        **feature_store.environment,
        **{file.variable: f"{FEATURES_DIR}/{file.name}" for file in feature_store.secret_files},
    }
    return [EnvVarArgs(name=name, value=value) for name, value in variables.items()]


def resources(spec: FleetSpec) -> ResourceRequirementsArgs:
    """Memory and GPUs are requested and limited alike, so that a neighbour cannot take them; CPU may burst."""
    asked = server(spec)
    fixed = {
        "memory": f"{asked.memory_mib // 1024}Gi",
        "ephemeral-storage": f"{asked.disk_mib // 1024}Gi",
        serving.GPU_RESOURCE: str(asked.gpus),
    }
    return ResourceRequirementsArgs(requests={"cpu": str(asked.cpu_millicores // 1000), **fixed}, limits=fixed)


def fetch_resources(spec: FleetSpec) -> ResourceRequirementsArgs:
    """Of the init container, which counts into what a replica takes (`components.contracts.capacity.replica`)."""
    asked = fetcher(spec)
    fixed = {"memory": f"{asked.memory_mib}Mi", "ephemeral-storage": f"{asked.disk_mib // 1024}Gi"}
    return ResourceRequirementsArgs(requests={"cpu": f"{asked.cpu_millicores}m", **fixed}, limits=fixed)


def volumes(spec: FleetSpec, features_secret: str | None) -> list[VolumeArgs]:
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
            empty_dir=EmptyDirVolumeSourceArgs(medium="Memory", size_limit=f"{SHARED_MEMORY_GIB}Gi"),
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


def holding(spec: FleetSpec, pools: NodePoolsRef) -> list[NodePoolRef]:
    """The pools whose machines have room for a replica."""
    return [p for p in pools.pools.values() if replicas_per_machine(p.accelerator, p.room, spec)]


def pod_spec(
    spec: FleetSpec,
    *,
    registry: RegistryRef,
    storage: StorageRef,
    feature_store: FeatureStoreRef,
    features_secret: str | None,
    pools: NodePoolsRef,
    lookup_timeout_ms: int,
    service_account: pulumi.Input[str],
) -> PodSpecArgs:
    """The whole pod: image by digest, probes, drain before shutdown, and only nodes with the fleet's GPU."""
    takers = holding(spec, pools)
    taints = sorted({key for pool in takers for key in pool.taint_keys})
    image = f"{registry.url}@{spec.images.serving}"
    fetch = ContainerArgs(
        name="fetch-release",
        image=image,
        # Not the image's entrypoint: it prepares a GPU, and this container has none.
        command=["python3", "-m", "release_fetch"],
        args=fetch_arguments(storage, spec),
        env=[EnvVarArgs(name=name, value=value) for name, value in storage.environment.items()] or None,
        resources=fetch_resources(spec),
        security_context=container_security(),
        # The line that it ends with stands in the pod's status.
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[VolumeMountArgs(name="release", mount_path=RELEASE_DIR), _SCRATCH],
    )
    container = ContainerArgs(
        name=APP,
        image=image,
        args=arguments(spec),
        env=environment(feature_store, lookup_timeout_ms),
        ports=[
            port("http", serving.HTTP_PORT),
            port("grpc", serving.GRPC_PORT),
            port("metrics", serving.METRICS_PORT),
        ],
        resources=resources(spec),
        security_context=container_security(),
        startup_probe=http_probe(
            "/v2/health/ready", "http", period_seconds=STARTUP_PERIOD_SECONDS, failure_threshold=STARTUP_ATTEMPTS
        ),
        readiness_probe=http_probe("/v2/health/ready", "http", period_seconds=5, failure_threshold=3),
        liveness_probe=http_probe("/v2/health/live", "http", period_seconds=10, failure_threshold=3),
        lifecycle=LifecycleArgs(pre_stop=LifecycleHandlerArgs(sleep=SleepActionArgs(seconds=spec.drain_seconds))),
        volume_mounts=mounts(features_secret),
    )
    return PodSpecArgs(
        service_account_name=service_account,
        automount_service_account_token=False,
        enable_service_links=False,
        termination_grace_period_seconds=spec.termination_seconds,
        security_context=pod_security(UID),
        node_selector={serving.ACCELERATOR_LABEL: str(spec.accelerator), **selector(takers)},
        tolerations=[TolerationArgs(key=key, operator="Exists", effect="NoSchedule") for key in taints],
        topology_spread_constraints=[
            TopologySpreadConstraintArgs(
                max_skew=1,
                topology_key="topology.kubernetes.io/zone",
                when_unsatisfiable="ScheduleAnyway",
                label_selector=selecting(app_labels(APP)),
            )
        ],
        init_containers=[fetch],
        containers=[container],
        volumes=volumes(spec, features_secret),
    )
