"""What is changed of a plan's objects so that they run without a cluster, and that nothing else is."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from common.errors import UserError
from localcloud.gateway.objects import ENVOY_GATEWAY_API, MARKER, Localised, localise
from tests.localcloud.gateway.conftest import small_door

PODS = {("serving", "stable"): [("127.0.0.1", 4000, 4001)], ("serving", "canary"): [("127.0.0.1", 5000, 5001)]}


def localised(objects: list[dict[str, Any]], pods: Any = None, **more: Any) -> Localised:
    return localise(objects, PODS if pods is None else pods, lambda name: 30000 + len(name), **more)


def of(found: Localised, kind: str, name: str | None = None) -> dict[str, Any]:
    (one,) = (
        each
        for each in found.objects
        if each["kind"] == kind
        and (each["metadata"]["name"] == name if name else not each["metadata"]["name"].startswith(MARKER))
    )
    return one


def test_a_service_becomes_its_pods() -> None:
    found = localised(small_door({"stable": 9, "canary": 1}))
    assert of(found, "Backend", "stable-8000")["spec"]["endpoints"] == [
        {"ip": {"address": "127.0.0.1", "port": 4000}}
    ]


def test_the_grpc_port_of_a_service_is_that_of_its_pods() -> None:
    objects = small_door({"stable": 1})
    objects[2]["spec"]["rules"][0]["backendRefs"][0]["port"] = 8001
    found = localised(objects)
    assert of(found, "Backend", "stable-8001")["spec"]["endpoints"][0]["ip"]["port"] == 4001


def test_a_route_keeps_all_but_its_references() -> None:
    planned = small_door({"stable": 9, "canary": 1}, timeouts={"request": "2s"})
    route = of(localised(planned), "HTTPRoute", "risk")
    before = planned[2]["spec"]["rules"][0]["backendRefs"]
    for reference, was in zip(route["spec"]["rules"][0]["backendRefs"], before, strict=True):
        name, weight = f"{was['name']}-8000", was["weight"]
        assert reference == {"group": ENVOY_GATEWAY_API, "kind": "Backend", "name": name, "weight": weight}
        reference.clear()
        was.clear()
    assert route == planned[2]


def test_a_mirror_leads_to_pods_too() -> None:
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "canary", "port": 8000}}}
    found = localised(small_door({"stable": 1}, filters=[mirror]))
    filters = of(found, "HTTPRoute", "risk")["spec"]["rules"][0]["filters"]
    assert filters[0]["requestMirror"]["backendRef"]["name"] == "canary-8000"


def test_the_plan_itself_is_not_touched() -> None:
    planned = small_door({"stable": 1})
    before = copy.deepcopy(planned)
    localised(planned)
    assert planned == before


def test_a_service_without_pods_is_named() -> None:
    with pytest.raises(UserError, match="HTTPRoute serving/risk refers to Service serving/stable"):
        localised(small_door({"stable": 1}), pods={})


def test_a_service_with_no_ready_pod_is_none_that_answers() -> None:
    found = localised(small_door({"stable": 1}), pods={("serving", "stable"): []})
    assert of(found, "Backend", "stable-8000")["spec"]["endpoints"] == [{"ip": {"address": "127.0.0.1", "port": 9}}]


def test_an_envoy_proxy_keeps_all_but_its_provider() -> None:
    proxy = {
        "apiVersion": f"{ENVOY_GATEWAY_API}/v1alpha1",
        "kind": "EnvoyProxy",
        "metadata": {"name": "door", "namespace": "serving"},
        "spec": {"provider": {"type": "Kubernetes", "kubernetes": {}}, "concurrency": 2},
    }
    objects = small_door({"stable": 1})
    objects[0]["spec"]["parametersRef"] = {"kind": "EnvoyProxy", "name": "door"}
    spec = of(localised([*objects, proxy]), "EnvoyProxy")["spec"]
    assert (spec["concurrency"], spec["provider"]["type"]) == (2, "Host")


def test_what_the_gateway_does_not_read_is_left_out() -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "triton"}, "spec": {}}
    assert not [o for o in localised([*small_door({"stable": 1}), deployment]).objects if o["kind"] == "Deployment"]


def test_keys_of_an_issuer_that_is_not_reached_can_be_given() -> None:
    policy = {
        "apiVersion": f"{ENVOY_GATEWAY_API}/v1alpha1",
        "kind": "SecurityPolicy",
        "metadata": {"name": "who", "namespace": "serving"},
        "spec": {"jwt": {"providers": [{"name": "issuer", "remoteJWKS": {"uri": "https://issuer.example/keys"}}]}},
    }
    objects = [*small_door({"stable": 1}), policy]
    found = localised(objects, key_sets={"https://issuer.example/keys": {"keys": []}})
    provider = of(found, "SecurityPolicy")["spec"]["jwt"]["providers"][0]
    assert provider == {"name": "issuer", "localJWKS": {"type": "Inline", "inline": '{"keys": []}'}}


def test_a_grant_for_a_service_holds_for_its_pods() -> None:
    grant = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "g", "namespace": "serving"},
        "spec": {"from": [], "to": [{"group": "", "kind": "Service"}]},
    }
    found = of(localised([*small_door({"stable": 1}), grant]), "ReferenceGrant")
    assert {"group": ENVOY_GATEWAY_API, "kind": "Backend"} in found["spec"]["to"]


def test_what_a_service_tells_the_gateway_its_backend_tells() -> None:
    annotations = {f"{ENVOY_GATEWAY_API}/variant": "stable", "other": "x"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "stable", "namespace": "serving"}}
    service["metadata"]["annotations"] = annotations
    found = of(localised([*small_door({"stable": 1}), service]), "Backend", "stable-8000")
    assert found["metadata"]["annotations"] == {f"{ENVOY_GATEWAY_API}/variant": "stable"}


@pytest.mark.parametrize("suffix", ["", ".cluster.local", ".cluster.local."])
def test_a_planned_backend_that_names_a_service_leads_to_its_pods(suffix: str) -> None:
    fallback = {
        "apiVersion": f"{ENVOY_GATEWAY_API}/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "fallback", "namespace": "serving"},
        "spec": {
            "fallback": True,
            "endpoints": [{"fqdn": {"hostname": f"canary.serving.svc{suffix}", "port": 8001}}],
        },
    }
    found = of(localised([*small_door({"stable": 1}), fallback]), "Backend", "fallback")
    assert found["spec"] == {"fallback": True, "endpoints": [{"ip": {"address": "127.0.0.1", "port": 5001}}]}


def test_only_one_gateway_is_run() -> None:
    objects = small_door({"stable": 1})
    other = copy.deepcopy(objects[1])
    other["metadata"]["name"] = "other"
    with pytest.raises(UserError, match="2 objects of kind Gateway"):
        localised([*objects, other])


def test_each_change_is_told() -> None:
    told = {(change.object, change.what) for change in localised(small_door({"stable": 1})).changes}
    assert told == {
        ("HTTPRoute serving/risk", "stable:8000 → Backend stable-8000"),
        ("Gateway serving/door", "listener http: port 80 → 30004"),
        ("GatewayClass door", "parametersRef to an EnvoyProxy of provider Host"),
        ("Gateway serving/door", f"listener {MARKER}, with a route and a policy"),
        ("Gateway serving/door", "its listeners bound to loopback"),
    }
