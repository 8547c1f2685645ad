"""Single doors to the outside: a resource that is on the internet by itself, and policies that let anybody in. Pure.

The tables and the meaning of policies are the rules' own. What no rule reads is looked through for inputs whose names
say from where, or by whom, something is reached: a reviewer's net, wider than the rules.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ops.diff.fences import INGRESS, PROXY, READ, SERVICE, balancer_of, plain
from ops.diff.model import Opening
from policies import google_iam
from policies.documents import statements
from policies.grants import who
from policies.inventory import UNKNOWN, Inventory, Resource
from policies.model import Judgement
from policies.reach import aws_openings, gcp_openings, openings
from policies.reach.openings import How
from policies.resource_documents import POLICIES
from policies.tokens import EKS_CLUSTER, GKE_CLUSTER, KMS_KEY, S3_POLICY

INTERNET: Final = "the internet"
_GATEWAYS: Final = (
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment",
)
_CLASS: Final = "kubernetes:gateway.networking.k8s.io/v1:GatewayClass"
_ENTRY: Final = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
_BLOCKS: Final = (
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
)
_BUCKET: Final = "aws:s3/bucket:Bucket"
_DOCUMENTS: Final[Mapping[str, str]] = {
    **POLICIES,
    KMS_KEY: "policy",
    S3_POLICY: "policy",
    "aws:iam/role:Role": "assumeRolePolicy",
}
_NO_WAY_IN: Final = ("aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/vpc:Vpc", "aws:iam/rolePolicy:RolePolicy")
"""Types whose policies and ranges limit who is inside already."""
_TABLES: Final[Mapping[str, tuple[openings.Opening, ...]]] = {
    **aws_openings.OPENINGS,
    **gcp_openings.OPENINGS,
    **{
        kind: tuple(
            openings.Opening("what a policy may make public", How.NO_FLAG, name)
            for name in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        )
        for kind in _BLOCKS
    },
    "gcp:storage/bucket:Bucket": (
        openings.Opening(
            "what a grant may make public", How.OTHER, "publicAccessPrevention", ("enforced",), "inherited"
        ),
    ),
}
_SOURCES: Final = frozenset(
    {
        "cidr",
        "cidrblock",
        "cidrblocks",
        "cidripv4",
        "cidripv6",
        "clientcidrs",
        "ipv6cidrblock",
        "ipv6cidrblocks",
        "loadbalancersourceranges",
        "publicaccesscidrs",
        "sourceranges",
    }
)
"""Names of inputs that say from where something may be reached, in lower case."""
_OPEN_IF: Final[Mapping[str, tuple[object, ...]]] = {
    "associatepublicipaddress": (True,),
    "enableprivatenodes": (False,),
    "gcppubliccidrsaccessenabled": (True,),
    "publiclyaccessible": (True,),
    "connectionpreference": ("ACCEPT_AUTOMATIC",),
    "hostnetwork": (True,),
    "type": ("LoadBalancer",),
    "acl": ("public-read", "public-read-write", "authenticated-read"),
    "ipv4enabled": (True,),
    "loadbalancingscheme": ("EXTERNAL", "EXTERNAL_MANAGED"),
    "scheme": ("internet-facing",),
    "alb.ingress.kubernetes.io/scheme": ("internet-facing",),
}
"""Inputs by name, and the values that open a way."""
_INSIDE: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("fc00::/7", "fe80::/10", "::1/128"),
        ),
    )
)
"""Ranges that nobody on the internet has (RFC 1918, 4193, 6598); Python's `is_private` has others too."""
_PUBLIC: Final = ("*", "allUsers", "allAuthenticatedUsers", "all", "system:anonymous", "system:unauthenticated")
_WHO: Final = frozenset(
    {"member", "members", "principal", "principals", "aws", "federated", "identifiers", "group", "entity"}
    | {"allowedprincipals", "principalarn"}
)
_SUBJECTS: Final = ("subjects",)
_OUTWARD: Final = ("egress", "to", "destinationranges")


def doors(inventory: Inventory) -> Iterator[Opening]:
    """Every door of a stack's resources that stands open, or may."""
    blocked = {
        urn
        for block in inventory.of_type(_BLOCKS[0])
        for urn in (bucket.urn for bucket in inventory.linked(block, "bucket", _BUCKET))
    }
    for resource in inventory.resources:
        yield from _tabled(resource)
        if resource.type in _GATEWAYS:
            yield Opening(resource.urn, "a gateway to the internet", INTERNET)
        yield from _of_the_cluster(resource, inventory)
        if resource.type == _BUCKET and resource.urn not in blocked:
            yield Opening(resource.urn, "no block of public access", "whom a policy names")
        if resource.type in _DOCUMENTS:
            yield from _document(resource, _DOCUMENTS[resource.type])
        elif resource.type in google_iam.GRANTS:
            yield from _grants(resource)
        elif resource.type not in READ and resource.type not in _NO_WAY_IN:
            yield from _net(resource)


def _of_the_cluster(resource: Resource, inventory: Inventory) -> Iterator[Opening]:
    """What a cluster's controllers put on the internet, or at a port of each machine."""
    if resource.type == INGRESS and resource.get("metadata.annotations", {}) != UNKNOWN:
        notes: Any = resource.get("metadata.annotations", {})
        if notes.get("alb.ingress.kubernetes.io/scheme") != "internal":
            yield Opening(resource.urn, "an Ingress", INTERNET)
    elif resource.type == INGRESS:
        yield Opening(resource.urn, "an Ingress", UNKNOWN)
    elif resource.type == _ENTRY:
        own = {each.get("metadata.name") for each in inventory.of_type(_CLASS)}
        named = resource.get("spec.gatewayClassName")
        if named not in own:
            yield Opening(resource.urn, f"a Gateway of the class {named}", INTERNET)
    elif resource.type in (SERVICE, PROXY):
        kind, inside = balancer_of(resource, inventory)
        if kind == "LoadBalancer" and inside is not True:
            yield Opening(
                resource.urn, "a load balancer with a public address", INTERNET if inside is False else UNKNOWN
            )
        elif kind == "NodePort":
            yield Opening(resource.urn, "a port of each machine", "who reaches the machines")


def _tabled(resource: Resource) -> Iterator[Opening]:
    for opening in _TABLES.get(resource.type, ()):
        for each in openings.found(resource, opening):
            way = f"{opening.what} ({plain(each.path)})" if each.path else opening.what
            yield Opening(resource.urn, way, UNKNOWN if each.hidden else INTERNET)


def _document(resource: Resource, path: str) -> Iterator[Opening]:
    if resource.get(path) in (None, ""):
        return
    found = statements(resource, path)
    if isinstance(found, Judgement):
        yield Opening(resource.urn, path, UNKNOWN)
        return
    for statement in found:
        if statement.allows and who(statement).everyone:
            what = ", ".join(sorted(statement.actions)) or "all but some actions"
            yield Opening(resource.urn, path, f"everyone, for {what}")
        elif statement.allows and statement.hidden:
            yield Opening(resource.urn, path, UNKNOWN)


def _grants(resource: Resource) -> Iterator[Opening]:
    found = google_iam.grants(resource)
    if isinstance(found, Judgement):
        yield Opening(resource.urn, "its grants", UNKNOWN)
        return
    for grant in found:
        for member in grant.members:
            if google_iam.everyone_in(member):
                yield Opening(resource.urn, plain(grant.members_path), f"{member}, as {grant.role}")


def _net(resource: Resource) -> Iterator[Opening]:
    """Inputs whose names say that they open a way, of what nothing else here reads."""
    clusters = resource.type in (EKS_CLUSTER, GKE_CLUSTER)
    for path, value in _leaves(resource.inputs, ()):
        name = path[-1].lower() if path else ""
        if any(part.lower() in _OUTWARD for part in path):
            continue
        way = ".".join(path)
        if name in _SOURCES and not clusters and "Subnet" not in resource.type:
            outside = _outside(value)
            if outside:
                yield Opening(resource.urn, way, outside)
        elif (name in _WHO or path[:1] == _SUBJECTS) and str(value) in _PUBLIC:
            yield Opening(resource.urn, way, str(value))
        elif name in _OPEN_IF and _value(value) in (*_OPEN_IF[name], UNKNOWN):
            yield Opening(resource.urn, way, str(_value(value)))


def _leaves(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Values with the names that lead to them; JSON texts, as policy documents are, are looked into."""
    inside = _parsed(node)
    if inside is not None:
        yield from _leaves(inside, path)
    elif isinstance(node, Mapping):
        # A condition of a policy that no rule reads is not weighed here: a reviewer looks at it.
        if str(node.get("Effect")) == "Deny":
            return
        for key, value in node.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, path)
    else:
        yield path, node


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(("{", "[")) or value == UNKNOWN:
        return None
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return found if isinstance(found, dict | list) else None


def _outside(value: object) -> str:
    """The range in its shortest form if any of it is outside private networks; empty if it is not."""
    if value == UNKNOWN:
        return UNKNOWN
    try:
        network = ipaddress.ip_network(str(value).strip(), strict=False)
    except ValueError:
        return "" if value in (None, "", False) else str(value)
    within = any(network.version == own.version and network.subnet_of(own) for own in _INSIDE)  # type: ignore[arg-type]
    return "" if within else str(network)


def _value(value: object) -> object:
    """A flag that is written as text is the flag."""
    return {"true": True, "false": False}.get(value.strip().lower(), value) if isinstance(value, str) else value
