"""Ways into the cluster beside the door: none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.contracts.vocabulary import Cloud
from policies.checks import ABSENT, PASS, all_of, expect, failed, is_hidden, read, shown, unknown
from policies.examples import Hidden, both, drop, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.reach.declared import declared
from policies.reach.kubernetes import balancer_is_inside, is_standalone, ranges_within
from policies.reach.values import mapping
from policies.settings_view import SettingsView
from policies.tokens import ENVOY_PROXY, INGRESS, SERVICE

family = Family("Ways beside the door")

_PATCH: Final = "kubernetes:core/v1:ServicePatch"
_GATEWAY_API: Final = "kubernetes:gateway.networking.k8s.io/v1"
_CLASS: Final = f"{_GATEWAY_API}:GatewayClass"
_GATEWAY: Final = f"{_GATEWAY_API}:Gateway"
_CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
_INTERNAL: Final = "service.beta.kubernetes.io/aws-load-balancer-internal"
_RANGES: Final = "spec.loadBalancerSourceRanges"
_INSIDE: Final = (
    put("spec.type", "LoadBalancer"),
    put("metadata.annotations", {_INTERNAL: "true"}),
    put(_RANGES, ["10.20.0.0/16"]),
)
_KINDS: Final = "ClusterIP, or a load balancer marked as internal"

UNJUDGED: Final = (
    *(
        f"kubernetes:gateway.networking.k8s.io/{version}:{kind}"
        for version in ("v1", "v1beta1", "v1alpha2", "v1alpha3")
        for kind in ("TLSRoute", "TCPRoute", "UDPRoute", "ReferenceGrant")
    ),
    *(f"kubernetes:gateway.networking.k8s.io/v1beta1:{kind}" for kind in ("Gateway", "GatewayClass", "HTTPRoute")),
    "kubernetes:gateway.networking.x-k8s.io/v1alpha1:XListenerSet",
    "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding",
    *(f"kubernetes:cilium.io/v2:{kind}" for kind in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")),
    *(
        f"kubernetes:policy.networking.k8s.io/v1alpha1:{kind}"
        for kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
    ),
    "kubernetes:networking.gke.io/v1alpha1:FQDNNetworkPolicy",
    "kubernetes:networking.gke.io/v1:FQDNNetworkPolicy",
    "kubernetes:crd.projectcalico.org/v1:GlobalNetworkPolicy",
)
"""Custom resources that open or widen a way past what these rules read."""
_BESIDE: Final = (
    INGRESS,
    "kubernetes:networking.k8s.io/v1:IngressPatch",
    "kubernetes:networking.k8s.io/v1beta1:Ingress",
    "kubernetes:extensions/v1beta1:Ingress",
    "kubernetes:extensions/v1beta1:NetworkPolicy",
    "kubernetes:core/v1:Endpoints",
    "kubernetes:discovery.k8s.io/v1:EndpointSlice",
    *UNJUDGED,
)


@family.rule(
    "k8s-service-inside-only",
    Severity.HIGH,
    "Services are not open to the internet",
    types=(SERVICE, _PATCH),
    rationale="Triton authenticates nobody: whoever reaches it may use every model.",
    remedy="Use ClusterIP, or mark the load balancer as internal and name its clients' ranges.",
    examples=lambda: examples(
        given(SERVICE, {"spec.type": "ClusterIP"}),
        broken={
            **{f'spec.type is "{kind}"': put("spec.type", kind) for kind in ("LoadBalancer", "NodePort")},
            'spec.externalIPs is ["203.0.113.7"]': put("spec.externalIPs", ["203.0.113.7"]),
            'spec.type is "LoadBalancer", in annotations of another cloud': both(*_INSIDE, setting("cloud", "gcp")),
            f"{_RANGES} is absent": both(*_INSIDE, drop(_RANGES)),
            f'{_RANGES} is ["0.0.0.0/1", "128.0.0.0/1"]': both(*_INSIDE, put(_RANGES, ["0.0.0.0/1", "128.0.0.0/1"])),
            'spec.loadBalancerClass is "service.k8s.aws/nlb"': both(
                *_INSIDE, put("spec.loadBalancerClass", "service.k8s.aws/nlb")
            ),
            "metadata.annotations makes endpoints for a load balancer elsewhere": put(
                "metadata.annotations", {"cloud.google.com/neg": '{"exposed_ports": {"80": {}}}'}
            ),
        },
        undecided={
            "spec.type is known only to the provider": put("spec.type", Hidden()),
            "metadata.annotations is known only to the provider": (
                put("metadata.annotations", Hidden()),
                both(*_INSIDE, put("metadata.annotations", Hidden())),
            ),
        },
        accepted={
            "": (
                drop("spec.type"),
                both(*_INSIDE),
                both(
                    *_INSIDE,
                    setting("cloud", "gcp"),
                    put("metadata.annotations", {"networking.gke.io/load-balancer-type": "Internal"}),
                ),
                put("metadata.annotations", {"cloud.google.com/neg": '{"ingress": true}'}),
            )
        },
    ),
)
def service_inside_only(service: Resource, inventory: Inventory) -> Judgement:
    judged = all_of(_service(service, inventory))
    return judged if judged.problems else PASS


def _service(service: Resource, inventory: Inventory) -> Iterator[Judgement]:
    for path in ("spec", "spec.type", "spec.externalIPs"):
        if is_hidden(read(service, path)):
            yield unknown(path, "ClusterIP")
            return
    notes = read(service, "metadata.annotations")
    if is_hidden(notes) or is_hidden(read(service, "metadata")):
        yield unknown("metadata.annotations", _KINDS)
        return
    kind = read(service, "spec.type")
    if read(service, "spec.externalIPs") not in (ABSENT, []):
        yield failed("spec.externalIPs", shown(read(service, "spec.externalIPs")), "absent")
    if is_standalone(notes):
        yield failed("", "metadata.annotations makes endpoints for a load balancer elsewhere", "no such endpoints")
    if kind in (ABSENT, "ClusterIP", "ExternalName"):
        return
    cloud = SettingsView.of(inventory.settings).cloud or Cloud.AWS
    if kind != "LoadBalancer" or not mapping(notes):
        yield failed("spec.type", shown(kind), _KINDS)
    elif not balancer_is_inside(notes, cloud):
        yield failed("spec.type", f"{shown(kind)}, in annotations of another cloud", _KINDS)
    else:
        yield ranges_within(service, _RANGES, declared(inventory).private, "networks that the settings name")
        if read(service, "spec.loadBalancerClass") is not ABSENT:
            yield failed("spec.loadBalancerClass", shown(read(service, "spec.loadBalancerClass")), "absent")


@family.rule(
    "k8s-nothing-beside-the-door",
    Severity.CRITICAL,
    "Requests come in by the door's Gateway, and by nothing beside it",
    types=(_GATEWAY, _CLASS, *_BESIDE),
    rationale="The door asks for tokens, counts requests and speaks TLS: another way in does none of it.",
    remedy="Remove it, and name the service in a route of the door.",
    examples=lambda: examples(
        given(_GATEWAY, {"metadata.name": "door", "spec.gatewayClassName": "door"}),
        given(
            _CLASS,
            {
                "metadata.name": "door",
                "spec.controllerName": _CONTROLLER,
                "spec.parametersRef": {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "door"},
            },
        ),
        broken={
            'spec.gatewayClassName is "gke-l7-global-external-managed"': put(
                "spec.gatewayClassName", "gke-l7-global-external-managed"
            ),
            'spec.gatewayClassName is "door"': (
                without(_CLASS),
                put("spec.controllerName", "networking.gke.io/gateway", on=_CLASS),
                drop("spec.parametersRef", on=_CLASS),
            ),
            'spec.addresses is [{"value": "203.0.113.7"}]': put("spec.addresses", [{"value": "203.0.113.7"}]),
            'spec.infrastructure is {"annotations": {"a": "b"}}': put("spec.infrastructure.annotations", {"a": "b"}),
        },
        undecided={"spec.gatewayClassName is known only to the provider": put("spec.gatewayClassName", Hidden())},
        accepted={"": put("spec.addresses", [])},
    ),
)
def nothing_beside_the_door(resource: Resource, inventory: Inventory) -> Judgement:
    if resource.type == _CLASS:
        return PASS if _is_doors(resource) else failed("", f"{resource.name} is another controller's", "the door's")
    if resource.type != _GATEWAY:
        kind = resource.type.rpartition(":")[2]
        return failed("", f"a way beside the door ({kind})", "the door's Gateway and its routes alone")
    known = [read(each, "metadata.name") for each in inventory.of_type(_CLASS) if _is_doors(each)]
    named = expect(
        resource,
        "spec.gatewayClassName",
        "the class of the door, by an EnvoyProxy of this stack",
        lambda name: name in known,
    )
    own = [
        failed(path, shown(read(resource, path)), "absent: the EnvoyProxy says where the door stands")
        for path in ("spec.addresses", "spec.infrastructure")
        if read(resource, path) not in (ABSENT, [], {})
    ]
    return all_of((named, *own))


def _is_doors(found: Resource) -> bool:
    kind = read(found, "spec.parametersRef.kind")
    return read(found, "spec.controllerName") == _CONTROLLER and kind == ENVOY_PROXY.rpartition(":")[2]
