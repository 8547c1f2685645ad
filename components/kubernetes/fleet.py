"""The Triton fleet: for each service its replicas, which serve one release, and everything that keeps them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apps.v1 import (
    Deployment,
    DeploymentSpecArgs,
    DeploymentStrategyArgs,
    RollingUpdateDeploymentArgs,
)
from pulumi_kubernetes.core.v1 import (
    Namespace,
    PodTemplateSpecArgs,
    ResourceQuota,
    ResourceQuotaSpecArgs,
    Secret,
    Service,
)

from components.contracts import serving
from components.contracts.component import Component, ready
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import (
    ApiServerPath,
    FleetRef,
    IdentityRef,
    NodePoolRef,
    NodePoolsRef,
    RegistryRef,
    ServiceRef,
    StorageRef,
    VariantRef,
)
from components.contracts.rollout_specs import Canary
from components.contracts.scaling import ROLLOUT_SURGE
from components.contracts.services import ServiceSpec, Variant, variants_of
from components.contracts.specs import FleetSpec
from components.kubernetes import autoscaling, bandits, hours, priorities, traffic, triton, warm
from components.kubernetes.compute_class import compute_class, ready_pools
from components.kubernetes.gateway.door import from_door
from components.kubernetes.metrics import METRICS_NAMESPACE, allow_discovery
from components.kubernetes.pods import RESTRICTED, account, metadata, selecting

FEATURES_SECRET = "feature-store"  # noqa: S105 - a Kubernetes object's name
FORMER_COMPUTE_CLASS = "compute-class"
"""The class's logical name while a fleet was one service."""
ROLLOUT_TIMEOUT = "30m"
"""A GPU machine may have to be found and a release fetched before the first replica is ready."""


@dataclass(frozen=True)
class _Common:
    """What the replicas of all services have in common."""

    image: str
    storage: StorageRef
    feature_store: FeatureStoreRef
    features_secret: str | None
    lookup_timeout_ms: int
    service_account: pulumi.Input[str]
    pools: NodePoolsRef
    waits: Sequence[pulumi.Resource]


class Fleet(Component):
    """Namespace, identity and network policies; for each variant Deployment, Service, autoscaler, disruption budget.

    It does not publish models, and it never sets the number of replicas: the autoscalers own it.
    """

    ref: FleetRef
    namespace: Namespace
    """Where the fleet lies, and whatever else has objects there waits for."""
    fronts: Mapping[str, Service]
    """The Service of each variant, by its name, but of canaries: Flagger makes theirs."""
    replicas: Mapping[str, Deployment]
    """The Deployment of each variant, by its name."""

    def __init__(
        self,
        name: str,
        place: Place,
        spec: FleetSpec,
        *,
        lookup_timeout_ms: int,
        pools: NodePoolsRef,
        registry: RegistryRef,
        storage: StorageRef,
        feature_store: FeatureStoreRef,
        identity: IdentityRef,
        api_server: ApiServerPath,
        provider: kubernetes.Provider,
    ) -> None:
        super().__init__("kubernetes:Fleet", name, provider)
        self._options = pulumi.ResourceOptions(parent=self)
        namespace = Namespace(
            serving.NAMESPACE,
            metadata=metadata(serving.NAMESPACE, labels={**RESTRICTED, "seawall.dev/stack": place.stack}),
            opts=self._options,
        )
        self.namespace = namespace
        inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        own_account = account(identity, self, automount=False, after=[namespace])
        secret = self._features_secret(feature_store, inside)
        traffic.deny_all(serving.NAMESPACE, inside)
        ingress, egress = traffic.fleet_rules(
            METRICS_NAMESPACE, from_door(), (*identity.credentials, *storage.doors, *feature_store.doors)
        )
        traffic.allow(serving.APP, serving.NAMESPACE, ingress=ingress, egress=egress, options=inside)
        allow_discovery(serving.NAMESPACE, inside)
        order = self._pools_in_order(spec, pools, inside)
        serves = priorities.priority_class(priorities.SERVING, "What answers requests", self._options)
        common = _Common(
            image=f"{registry.url}@{spec.images.serving}",
            storage=storage,
            feature_store=feature_store,
            features_secret=FEATURES_SECRET if secret else None,
            lookup_timeout_ms=lookup_timeout_ms,
            service_account=own_account.name,
            pools=pools,
            waits=[made for made in (namespace, secret, serves, *order) if made is not None],
        )
        laid = [self._lay(variant, common, inside) for variant in spec.variants]
        fronts = {each.object_name: front for each, (_, front, _) in zip(spec.variants, laid, strict=True)}
        self.fronts = {name: front for name, front in fronts.items() if front is not None}
        self.replicas = {each.object_name: made for each, (made, _, _) in zip(spec.variants, laid, strict=True)}
        ready_machines = self._warm(spec, common)
        deployments = [*(each for each, _, _ in laid), *ready_machines]
        hours.keep_hours(spec.variants, registry, api_server, self, [namespace, *deployments])
        bandits.move_all(spec, common.image, api_server, self, [namespace])
        self.ref = FleetRef(
            namespace=serving.NAMESPACE,
            services={name: service_ref(name, service) for name, service in spec.services.items()},
            drilled_service=spec.drilled_service,
            ready=pulumi.Output.all(*(is_ready for _, _, is_ready in laid)).apply(
                lambda ids: " ".join(map(str, ids))
            ),
        )
        releases = {each.object_name: each.release.version for each in spec.variants}
        self.finish({"namespace": serving.NAMESPACE, "releases": releases})

    def _pools_in_order(
        self, spec: FleetSpec, pools: NodePoolsRef, inside: pulumi.ResourceOptions
    ) -> list[pulumi.Resource | None]:
        """A compute class for each kind of machine that serves, and the quota on all of their GPUs."""
        takers: dict[str, list[NodePoolRef]] = {}
        for service in spec.services.values():
            known = takers.setdefault(str(service.accelerator), [])
            known += [pool for pool in triton.holding(service, pools) if pool not in known]
        with_gpus = [pool for found in takers.values() for pool in found if pool.room.gpus]
        if with_gpus:
            gpu_quota(with_gpus, inside)
        # A fleet of one service had one class, which the first one takes over.
        names = (FORMER_COMPUTE_CLASS, *(None for _ in takers))
        return [
            compute_class(found, self, formerly=name) for found, name in zip(takers.values(), names, strict=False)
        ]

    def _warm(self, spec: FleetSpec, common: _Common) -> list[Deployment]:
        """What holds machines ready, for the services that ask for it."""
        asking = {name: service for name, service in spec.services.items() if service.warm_replicas}
        if not asking:
            return []
        yields = priorities.priority_class(priorities.WARM, "What holds machines ready", self._options)
        after = [*common.waits, yields]
        return [
            warm.hold_machines(name, service, common.image, common.pools, self, after)
            for name, service in asking.items()
        ]

    def _features_secret(self, feature_store: FeatureStoreRef, inside: pulumi.ResourceOptions) -> Secret | None:
        if not feature_store.secret_files:
            return None
        return Secret(
            FEATURES_SECRET,
            metadata=metadata(FEATURES_SECRET, serving.NAMESPACE),
            string_data={file.name: file.content for file in feature_store.secret_files},
            opts=inside,
        )

    def _lay(
        self, variant: Variant, common: _Common, inside: pulumi.ResourceOptions
    ) -> tuple[Deployment, Service | None, pulumi.Output[str]]:
        """One variant's Deployment, its Service, and when all of its objects are there."""
        deployment = self._deployment(variant, common)
        canary = isinstance(variant.spec.traffic, Canary)
        service = None if canary else traffic.service(serving.NAMESPACE, variant, inside)
        scaler = autoscaling.autoscaler(serving.NAMESPACE, variant, inside)
        autoscaling.disruption_budget(serving.NAMESPACE, variant, inside)
        return deployment, service, ready(deployment.id, *([service] if service else []), scaler)

    def _deployment(self, variant: Variant, common: _Common) -> Deployment:
        labels = triton.labels(variant)
        pod = triton.pod_spec(
            variant,
            image=common.image,
            storage=common.storage,
            feature_store=common.feature_store,
            features_secret=common.features_secret,
            pools=common.pools,
            lookup_timeout_ms=common.lookup_timeout_ms,
            service_account=common.service_account,
        )
        return Deployment(
            variant.object_name,
            metadata=metadata(
                variant.object_name,
                serving.NAMESPACE,
                labels=labels,
                annotations={"seawall.dev/pools": ready_pools(triton.holding(variant.spec, common.pools))},
            ),
            spec=DeploymentSpecArgs(
                selector=selecting(labels),
                # No replica is taken away before its successor is ready; settings leave room for the surge.
                strategy=DeploymentStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=RollingUpdateDeploymentArgs(max_surge=ROLLOUT_SURGE, max_unavailable=0),
                ),
                min_ready_seconds=10,
                progress_deadline_seconds=1500,
                template=PodTemplateSpecArgs(metadata=metadata(labels=labels), spec=pod),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(common.waits),
                custom_timeouts=pulumi.CustomTimeouts(create=ROLLOUT_TIMEOUT, update=ROLLOUT_TIMEOUT),
            ),
        )


def service_ref(name: str, service: ServiceSpec) -> ServiceRef:
    """What the service `name` gives back."""
    return ServiceRef(
        variants={
            each.name: VariantRef(
                deployment=each.object_name,
                service=each.object_name,
                model_release=each.release.version,
                manifest_sha256=each.release.manifest_sha256,
                signers=each.release.signers,
            )
            for each in variants_of(name, service)
        }
    )


def gpu_quota(pools: Sequence[NodePoolRef], options: pulumi.ResourceOptions) -> ResourceQuota:
    """No more GPUs than the pools' `max_nodes` have, whichever groups they are in.

    Each group alone may grow to `max_nodes`, so that any of them can serve the whole fleet; a pod that is refused
    here makes no autoscaler add a machine.
    """
    most = sum(pool.room.gpus * pool.max_nodes for pool in pools)
    return ResourceQuota(
        "gpus",
        metadata=metadata("gpus", serving.NAMESPACE),
        spec=ResourceQuotaSpecArgs(hard={f"requests.{serving.GPU_RESOURCE}": str(most)}),
        opts=options,
    )
