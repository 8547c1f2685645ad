"""The Triton fleet: replicas that serve one release of the model repository, and everything that keeps them up."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apps.v1 import (
    Deployment,
    DeploymentSpecArgs,
    DeploymentStrategyArgs,
    RollingUpdateDeploymentArgs,
)
from pulumi_kubernetes.core.v1 import Namespace, PodTemplateSpecArgs, ResourceQuota, ResourceQuotaSpecArgs, Secret

from components.contracts import serving
from components.contracts.capacity import ROLLOUT_SURGE
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
    StorageRef,
)
from components.contracts.specs import FleetSpec
from components.kubernetes import autoscaling, hours, traffic, triton
from components.kubernetes.compute_class import compute_class, ready_pools
from components.kubernetes.metrics import METRICS_NAMESPACE, allow_discovery
from components.kubernetes.pods import RESTRICTED, account, app_labels, metadata, selecting

FEATURES_SECRET = "feature-store"  # noqa: S105 - a Kubernetes object's name
ROLLOUT_TIMEOUT = "30m"
"""A GPU machine may have to be found and a release fetched before the first replica is ready."""


class Fleet(Component):
    """Namespace, identity, Deployment, Service, autoscaler, disruption budget and network policies.

    It does not publish models, and it never sets the number of replicas: the autoscaler owns it.
    """

    ref: FleetRef

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
        inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        own_account = account(identity, self, automount=False, after=[namespace])
        secret = self._features_secret(feature_store, inside)
        traffic.deny_all(serving.NAMESPACE, inside)
        ingress, egress = traffic.fleet_rules(
            METRICS_NAMESPACE, (*identity.credentials, *storage.doors, *feature_store.doors)
        )
        traffic.allow(triton.APP, serving.NAMESPACE, ingress=ingress, egress=egress, options=inside)
        allow_discovery(serving.NAMESPACE, inside)
        takers = triton.holding(spec, pools)
        order = compute_class(takers, self._options)
        gpu_quota(takers, inside)
        waits: list[pulumi.Resource] = [made for made in (namespace, secret, order) if made is not None]
        deployment = self._deployment(
            spec,
            registry=registry,
            storage=storage,
            feature_store=feature_store,
            pools=pools,
            features_secret=FEATURES_SECRET if secret else None,
            lookup_timeout_ms=lookup_timeout_ms,
            service_account=own_account.name,
            waits=waits,
        )
        if spec.hours is not None:
            hours.keep_hours(spec, spec.hours, registry, api_server, self, [namespace, deployment])
        service = traffic.service(serving.NAMESPACE, inside)
        scaler = autoscaling.autoscaler(serving.NAMESPACE, triton.APP, spec, inside)
        autoscaling.disruption_budget(serving.NAMESPACE, inside)
        self.ref = FleetRef(
            namespace=serving.NAMESPACE,
            service=triton.APP,
            deployment=triton.APP,
            model_release=spec.model_release.version,
            manifest_sha256=spec.model_release.manifest_sha256,
            signers=spec.model_release.signers,
            ready=ready(deployment.id, service, scaler),
        )
        self.finish({"namespace": serving.NAMESPACE, "model_release": spec.model_release.version})

    def _features_secret(self, feature_store: FeatureStoreRef, inside: pulumi.ResourceOptions) -> Secret | None:
        if not feature_store.secret_files:
            return None
        return Secret(
            FEATURES_SECRET,
            metadata=metadata(FEATURES_SECRET, serving.NAMESPACE),
            string_data={file.name: file.content for file in feature_store.secret_files},
            opts=inside,
        )

    def _deployment(
        self,
        spec: FleetSpec,
        *,
        registry: RegistryRef,
        storage: StorageRef,
        feature_store: FeatureStoreRef,
        pools: NodePoolsRef,
        features_secret: str | None,
        lookup_timeout_ms: int,
        service_account: pulumi.Input[str],
        waits: list[pulumi.Resource],
    ) -> Deployment:
        labels = app_labels(triton.APP)
        pod = triton.pod_spec(
            spec,
            registry=registry,
            storage=storage,
            feature_store=feature_store,
            features_secret=features_secret,
            pools=pools,
            lookup_timeout_ms=lookup_timeout_ms,
            service_account=service_account,
        )
        return Deployment(
            triton.APP,
            metadata=metadata(
                triton.APP,
                serving.NAMESPACE,
                labels=labels,
                annotations={"seawall.dev/pools": ready_pools(triton.holding(spec, pools))},
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
                depends_on=waits,
                custom_timeouts=pulumi.CustomTimeouts(create=ROLLOUT_TIMEOUT, update=ROLLOUT_TIMEOUT),
            ),
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
