"""Who gets in from outside by networks: each line that lets somebody in, and the fence that it is a line of. Pure.

What a line lets through is computed by `policies.reach`, so that however a range is split, written or moved from one
resource to another, it is the same way in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.checks import ABSENT, is_hidden, read
from policies.inventory import Inventory, Resource
from policies.reach import aws, aws_fences, aws_groups, aws_routes, gcp
from policies.reach.addresses import EVERYTHING, Addresses, addresses, public_part, union
from policies.reach.kubernetes import balancer_is_inside
from policies.reach.traffic import EVERY_PORT, EVERY_PROTOCOL, Box, Traffic
from policies.reach.values import flag, members, paths, texts
from policies.tokens import EKS_CLUSTER, GKE_CLUSTER

SERVICE: Final = "kubernetes:core/v1:Service"
INGRESS: Final = "kubernetes:networking.k8s.io/v1:Ingress"
POLICY: Final = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
PROXY: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy"
READ: Final = frozenset(
    {
        *aws_groups.HOLDERS,
        *aws_routes.HOLDERS,
        *aws_fences.ACLS,
        *gcp.HOLDERS,
        aws_groups.PREFIX_LIST,
        aws_groups.PREFIX_ENTRY,
        aws_routes.SUBNET,
        "aws:ec2/networkAclRule:NetworkAclRule",
        SERVICE,
        POLICY,
        PROXY,
    }
)
"""Types whose inputs are read here whole."""
WHOLE: Final[Mapping[str, Addresses]] = {
    "every address": EVERYTHING,
    "every IPv4 address": Addresses(v4=EVERYTHING.v4),
    "every IPv6 address": Addresses(v6=EVERYTHING.v6),
}
"""How a reader calls all addresses but the private ones."""
_INWARD: Final = ("gatewayId", "carrierGatewayId")
_ENVOY: Final = "spec.provider.kubernetes.envoyService"


@dataclass(frozen=True)
class Line:
    """Something that lets somebody in from outside."""

    fence: tuple[str, ...]
    """What it is a line of: two sides are compared fence by fence, whichever resource a line stands in."""
    urn: str
    way: str
    """The input, list positions left out, or what it is in words."""
    traffic: Traffic
    """From outside alone."""
    hidden: bool = False
    """Whether the plan cannot tell all of it."""


def lines(inventory: Inventory) -> Iterator[Line]:
    """Every line of a stack that lets somebody in from outside, or may."""
    yield from (*_groups(inventory), *_subnets(inventory), *_firewalls(inventory))
    for resource in inventory.resources:
        yield from _single(resource, inventory)


def told(traffic: Traffic) -> str:
    """Who gets in and how, in few words that are the same for the same traffic."""
    ways: dict[str, list[Addresses]] = {}
    for box in traffic:
        ways.setdefault(_how(box), []).append(box.addresses)
    return "; ".join(f"{_ranges(found)}{how}" for how, found in sorted(ways.items()))


def _ranges(found: list[Addresses]) -> str:
    total = union(found)
    for name, whole in WHOLE.items():
        if public_part(whole).within(total):
            left = total - whole
            return f"{name}, {', '.join(left.ranges)}" if left else name
    return ", ".join(total.ranges)


def _how(box: Box) -> str:
    if box.protocols == EVERY_PROTOCOL and box.ports == EVERY_PORT:
        return ""
    named = {6: "tcp", 17: "udp", 1: "icmp"}
    protocols = [f"{named.get(a, a)}" if a == b else f"{a}-{b}" for a, b in box.protocols.parts]
    ports = [str(a) if a == b else f"{a}-{b}" for a, b in box.ports.parts]
    what = "/".join(protocols) if box.protocols != EVERY_PROTOCOL else "every protocol"
    return f" on {what}" + (f" {', '.join(ports)}" if box.ports != EVERY_PORT else "")


def _outside(traffic: Traffic) -> Traffic:
    found = (Box(box.protocols, box.ports, public_part(box.addresses)) for box in traffic)
    return tuple(box for box in found if box)


def _everything(found: Addresses) -> Traffic:
    return _outside((Box(EVERY_PROTOCOL, EVERY_PORT, found),))


def plain(path: str) -> str:
    """A path without list positions."""
    return ".".join(part for part in path.split(".") if part and not part.isdigit())


def _groups(inventory: Inventory) -> Iterator[Line]:
    for group, found in aws_groups.groups(inventory).items():
        for line in found:
            traffic = _outside((line.box,))
            if line.inward and (traffic or line.hidden):
                yield Line(("group", group), line.holder.urn, plain(line.path) or "source", traffic, line.hidden)


def _subnets(inventory: Inventory) -> Iterator[Line]:
    used = {each.urn for s in inventory.of_type(aws_routes.SUBNET) for each in aws_routes.routes_of(s, inventory)}
    for holder in inventory.of_type(*aws_routes.HOLDERS):
        if holder.urn not in used:  # of a table that no subnet of the plan follows
            for way in aws_routes.ways(holder, inventory):
                yield from _route(way, holder)
    for subnet in inventory.of_type(aws_routes.SUBNET):
        inward = False
        for way in aws_routes.ways_of(subnet, inventory):
            for line in _route(way, subnet):
                inward = True
                yield line
        gives = aws.gives_address(subnet)
        if gives is not False:
            traffic = _everything(EVERYTHING) if gives else ()
            yield Line(("address", subnet.urn), subnet.urn, "public addresses", traffic, gives is None)
        acl = aws_fences.acl_of(subnet, inventory)
        if inward and acl is not None:
            traffic = _outside(aws_fences.passes(acl, inventory, inward=True))
            yield Line(("border", subnet.urn), acl.urn, f"the border of {subnet.name}", traffic)
        elif inward:
            traffic = _everything(EVERYTHING)
            yield Line(("border", subnet.urn), subnet.urn, "no border of its own", traffic)


def _route(way: aws_routes.Way, holder: Resource) -> Iterator[Line]:
    """A route by which somebody comes in; those that lead out alone are none."""
    if way.by.rpartition(".")[2] not in _INWARD or way.target is aws_routes.Target.NETWORK:
        return
    traffic, hidden = _everything(way.destination), way.hidden or way.target is aws_routes.Target.UNKNOWN
    if traffic or hidden:
        yield Line(("route", holder.urn), holder.urn, "a route to the internet", traffic, hidden)


def _firewalls(inventory: Inventory) -> Iterator[Line]:
    for holder in inventory.of_type(*gcp.HOLDERS):
        for line in gcp.lines(holder, inventory):
            if not line.inward or not line.allows:
                continue
            traffic = _outside(gcp.passing(line, inventory))
            if traffic or line.hidden:
                targets = str(sorted(str(read(holder, f"{line.at}{name}")) for name in _TARGETS))
                yield Line(("firewall", line.listed, targets), holder.urn, plain(line.path), traffic, line.hidden)


_TARGETS: Final = ("targetTags", "targetServiceAccounts", "targetResources", "targetSecureTags")


def _single(resource: Resource, inventory: Inventory) -> Iterator[Line]:
    if resource.type in (SERVICE, PROXY):
        yield from _balancer(resource, inventory)
    elif resource.type == POLICY:
        yield from _pods(resource)
    elif resource.type == EKS_CLUSTER:
        public = flag(resource, "vpcConfig.endpointPublicAccess", default=True)
        yield from _control_plane(resource, "vpcConfig.publicAccessCidrs", public)
    elif resource.type == GKE_CLUSTER:
        ends = "controlPlaneEndpointsConfig"
        private = flag(resource, "privateClusterConfig.enablePrivateEndpoint", default=False)
        by_address = flag(resource, f"{ends}.ipEndpointsConfig.enabled", default=True)
        public = False if private is True or by_address is False else None if None in (private, by_address) else True
        yield from _control_plane(resource, "masterAuthorizedNetworksConfig.cidrBlocks", public, "cidrBlock")
        by_name = flag(resource, f"{ends}.dnsEndpointConfig.allowExternalTraffic", default=False)
        if by_name is not False:
            traffic = _everything(EVERYTHING) if by_name else ()
            yield Line(("name", resource.urn), resource.urn, f"{ends}.dnsEndpointConfig", traffic, by_name is None)


def balancer_of(resource: Resource, inventory: Inventory) -> tuple[object, bool | None]:
    """How a Service is reached, or the one that an Envoy proxy has; and whether its load balancer is inside.

    None: the plan cannot tell.
    """
    at, notes, default = ("spec", "metadata.annotations", "ClusterIP")
    if resource.type == PROXY:
        at, notes, default = _ENVOY, f"{_ENVOY}.annotations", "LoadBalancer"
        if read(resource, "spec.provider.kubernetes") is ABSENT:
            return ABSENT, True
    kind, annotations = read(resource, f"{at}.type"), read(resource, notes)
    if is_hidden(kind) or is_hidden(annotations):
        return "LoadBalancer", None
    inside = balancer_is_inside(annotations, inventory.stack.rpartition("-")[2])
    return default if kind is ABSENT else kind, inside


def _balancer(resource: Resource, inventory: Inventory) -> Iterator[Line]:
    at = _ENVOY if resource.type == PROXY else "spec"
    if members(read(resource, f"{at}.externalIPs")):
        yield Line(("addresses", resource.urn), resource.urn, f"{at}.externalIPs", _everything(EVERYTHING))
    kind, inside = balancer_of(resource, inventory)
    if kind != "LoadBalancer" or inside is True:
        return
    ranges, unread = texts(resource, f"{at}.loadBalancerSourceRanges")
    hidden = unread or inside is None
    found = addresses(*ranges) if ranges or unread else EVERYTHING
    yield Line(("balancer", resource.urn), resource.urn, "a load balancer", _everything(found), hidden)


def _pods(policy: Resource) -> Iterator[Line]:
    for rule in paths(policy, "spec.ingress"):
        peers = list(paths(policy, f"{rule}.from"))
        if not peers:
            yield Line(("pods", policy.urn), policy.urn, "spec.ingress", _everything(EVERYTHING))
        for peer in peers:
            named, hidden = texts(policy, f"{peer}.ipBlock.cidr")
            left_out, unread = texts(policy, f"{peer}.ipBlock.except")
            found = addresses(*named) - (addresses() if unread else addresses(*left_out))
            if named or hidden or is_hidden(read(policy, peer)):
                known = hidden or is_hidden(read(policy, peer))
                yield Line(("pods", policy.urn), policy.urn, "spec.ingress.from", _everything(found), known)


def _control_plane(cluster: Resource, path: str, public: bool | None, inner: str = "") -> Iterator[Line]:
    if public is False:
        return
    places = [f"{each}.{inner}" for each in paths(cluster, path)] if inner else [path]
    found = [texts(cluster, place) for place in places]
    named, hidden = [cidr for each, _ in found for cidr in each], any(unread for _, unread in found)
    who = addresses(*named) if named or hidden else EVERYTHING
    way = "the control plane"
    yield Line(("control plane", cluster.urn), cluster.urn, way, _everything(who), hidden or public is None)
