"""Who may talk to whom, computed from the network policies as the API server has them.

Simulated nodes enforce no policy, so no packet is sent: each row is asked of `firewall`. What ought to be allowed
stands here by what the programs do, not by the stack's policies.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from components.contracts import serving
from components.contracts.cluster import EKS_SERVICE_CIDR
from components.contracts.door import PROXY_APP, PROXY_METRICS_PORT, PROXY_NAMESPACE
from components.contracts.vocabulary import Cloud
from components.kubernetes.gateway.controllers import CERT_MANAGER_NAMESPACE, GATEWAY_APP, XDS_PORTS
from components.kubernetes.rollouts.controller import NAMESPACE as FLAGGER_NAMESPACE
from ops.rehearse.firewall import Peer
from ops.rehearse.model import Table, text_table
from ops.rehearse.rights import METRICS, SYSTEM
from ops.rehearse.stage import FLEET, Stage, pod_template

AREA: Final = "flows"
ADAPTER_PORT: Final = 6443
PROMETHEUS_PORT: Final = 9090
CLIENT_LABEL: Final = "seawall.dev/client"
MACHINE_METADATA: Final = "169.254.169.254"
"""A machine's own credentials on AWS; on Google Cloud also the pods'."""
POD_CREDENTIALS: Final = {Cloud.AWS: "169.254.170.23", Cloud.GCP: MACHINE_METADATA}
"""EKS' Pod Identity agent, and GKE's metadata server."""
OTHER_APIS: Final = "199.36.153.8"
"""The first of private.googleapis.com's addresses: they lead to APIs that obey no service perimeter."""
PUBLIC: Final = "203.0.113.9"
AGENT: Final = {"k8s-app": "konnectivity-agent"}
DNS: Final = {"k8s-app": "kube-dns"}


@dataclass(frozen=True)
class Flow:
    """One connection that should be possible, or not."""

    sender: str
    from_: Peer
    receiver: str
    to: Peer
    port: int
    wanted: bool
    protocol: str = "TCP"


def flows(stage: Stage) -> None:
    """The table, and its sum."""
    firewall = stage.firewall()
    asked = list(expected(stage))
    judged = [(flow, firewall.passes(flow.from_, flow.to, flow.port, flow.protocol)) for flow in asked]
    head = ("from", "to", "port", "should be", "is")
    rows = [(f.sender, f.receiver, f"{f.port}/{f.protocol}", _word(f.wanted), _word(passes)) for f, passes in judged]
    stage.report.tables.append(Table("Flows", *text_table(head, rows)))
    for wanted, name in ((True, "what must get through does"), (False, "what must not get through does not")):
        wrong = [
            f"{f.sender} to {f.receiver}:{f.port}"
            for f, passes in judged
            if f.wanted is wanted and passes is not wanted
        ]
        count = f"{sum(f.wanted is wanted for f, _ in judged)} connections"
        stage.report.add(AREA, name, not wrong, "; ".join(wrong) or count)


def _word(passes: bool) -> str:
    return "open" if passes else "closed"


def expected(stage: Stage) -> Iterator[Flow]:
    """Every flow that is asked for, with what it should be."""
    fleet = stage.peer(FLEET, serving.NAMESPACE)
    prometheus, adapter = stage.peer("prometheus", METRICS), stage.peer("prometheus-adapter", METRICS)
    client = Peer("clients", {"app": "client"}, {CLIENT_LABEL: "true"})
    stranger = Peer("elsewhere", {"app": "stranger"})
    outside = Peer(address=PUBLIC)
    others = (("a pod elsewhere", stranger), ("the internet", outside), ("a machine", Peer(address=_machine(stage))))
    for port in (serving.HTTP_PORT, serving.GRPC_PORT):
        yield Flow("a client", client, "fleet", fleet, port, True)
        yield Flow("prometheus", prometheus, "fleet", fleet, port, False)
        yield from (Flow(name, peer, "fleet", fleet, port, False) for name, peer in others)
        yield Flow("fleet", fleet, "fleet", fleet, port, False)
    yield Flow("prometheus", prometheus, "fleet", fleet, serving.METRICS_PORT, True)
    yield Flow("a client", client, "fleet", fleet, serving.METRICS_PORT, False)
    yield Flow("adapter", adapter, "prometheus", prometheus, PROMETHEUS_PORT, True)
    yield Flow("fleet", fleet, "prometheus", prometheus, PROMETHEUS_PORT, False)
    yield from (Flow(name, peer, "prometheus", prometheus, PROMETHEUS_PORT, False) for name, peer in others)
    for name, peer in api_server_as_caller(stage):
        yield Flow(name, peer, "adapter", adapter, ADAPTER_PORT, True)
    yield Flow("fleet", fleet, "adapter", adapter, ADAPTER_PORT, False)
    yield from (Flow(name, peer, "adapter", adapter, ADAPTER_PORT, False) for name, peer in others)
    yield from _door(stage, fleet, prometheus, others)
    yield from _outward(stage, fleet, outside, stranger)


def _door(stage: Stage, fleet: Peer, prometheus: Peer, others: tuple[tuple[str, Peer], ...]) -> Iterator[Flow]:
    """What passes the door: requests to the fleet, its configuration from its controller, figures to Prometheus."""
    door, controller = stage.peer(PROXY_APP, PROXY_NAMESPACE), stage.peer(GATEWAY_APP, PROXY_NAMESPACE)
    for port in (serving.HTTP_PORT, serving.GRPC_PORT):
        yield Flow("door", door, "fleet", fleet, port, True)
    yield Flow("door", door, "fleet", fleet, serving.METRICS_PORT, False)
    yield Flow("door", door, "door's controller", controller, XDS_PORTS[0], True)
    yield Flow("prometheus", prometheus, "door", door, PROXY_METRICS_PORT, True)
    yield Flow("fleet", fleet, "door", door, PROXY_METRICS_PORT, False)
    for name, peer in (("fleet", fleet), *others):
        yield Flow(name, peer, "door's controller", controller, XDS_PORTS[0], False)


def _outward(stage: Stage, fleet: Peer, outside: Peer, stranger: Peer) -> Iterator[Flow]:
    """What each pod of the stack may open by itself."""
    cloud = stage.settings.cloud
    callers = {
        ("prometheus", METRICS),
        ("prometheus-adapter", METRICS),
        ("cluster-autoscaler", SYSTEM),
        ("fleet-hours", serving.NAMESPACE),
        ("gateway-helm", PROXY_NAMESPACE),
        *((app, CERT_MANAGER_NAMESPACE) for app in ("cert-manager", "webhook", "cainjector")),
        ("flagger", FLAGGER_NAMESPACE),
    }
    of_cloud = {(FLEET, serving.NAMESPACE), ("cluster-autoscaler", SYSTEM)}
    for app, namespace in _apps(stage):
        pod = stage.peer(app, namespace)
        yield from (Flow(app, pod, "DNS", Peer(SYSTEM, DNS), 53, True, p) for p in ("UDP", "TCP"))
        yield Flow(app, pod, "API server", Peer(address=api_address(stage)), 443, (app, namespace) in callers)
        yield Flow(
            app, pod, "pod credentials", Peer(address=POD_CREDENTIALS[cloud]), 80, (app, namespace) in of_cloud
        )
        if cloud is Cloud.AWS:
            yield Flow(app, pod, "machine's metadata", Peer(address=MACHINE_METADATA), 80, False)
        for port in (80, 443):
            yield Flow(app, pod, "the internet", outside, port, False)
        yield Flow(app, pod, "APIs beyond the perimeter", Peer(address=OTHER_APIS), 443, False)
        yield Flow(app, pod, "a pod elsewhere", stranger, 443, False)
    intruder = Peer(serving.NAMESPACE, {"app": "intruder"}, fleet.namespace_labels)
    yield Flow("an unknown pod beside the fleet", intruder, "the internet", outside, 443, False)
    yield Flow(
        "an unknown pod beside the fleet", intruder, "API server", Peer(address=api_address(stage)), 443, False
    )


def _apps(stage: Stage) -> list[tuple[str, str]]:
    found = {
        (labels["app.kubernetes.io/name"], item["metadata"]["namespace"])
        for item in stage.objects
        if (template := pod_template(item)) and (labels := template["metadata"].get("labels") or {})
    }
    return sorted(found)


def api_address(stage: Stage) -> str:
    """Where pods find the API server: the first address of the range of services."""
    if stage.settings.cloud is Cloud.AWS:
        return _first(EKS_SERVICE_CIDR)
    from components.gcp.network import address_plan  # with it comes the SDK of one cloud

    return _first(address_plan(stage.settings.network.cidr).services)


def api_server_as_caller(stage: Stage) -> Iterator[tuple[str, Peer]]:
    """Whom the adapter's pod sees when the API server calls it."""
    if stage.settings.cloud is Cloud.GCP:
        yield "API server's agent", Peer(SYSTEM, AGENT)
        return
    from components.aws.network import control_plane_cidr

    for zone in stage.settings.zones:
        yield f"API server in {zone}", Peer(address=_first(control_plane_cidr(stage.settings.network.cidr, zone)))


def _first(cidr: str) -> str:
    return str(next(ipaddress.ip_network(cidr).hosts()))


def _machine(stage: Stage) -> str:
    """An address of a machine of the stack's network."""
    return stage.settings.network.cidr.rsplit(".", 2)[0] + ".1.1"
