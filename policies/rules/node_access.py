"""Access to machines: no public address, no SSH from anywhere, and no credentials for pods to take."""

from __future__ import annotations

from policies.checks import (
    ABSENT,
    PASS,
    absent_or,
    all_of,
    equals,
    expect,
    failed,
    is_hidden,
    passed,
    read,
    unknown,
)
from policies.examples import Hidden, Output, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import region_in, same_region
from policies.model import Framework, Judgement, Severity
from policies.reach.aws_routes import Target, Way, routes_of, ways_of
from policies.tokens import (
    EC2_LAUNCH_TEMPLATE,
    EKS_NODE_GROUP,
    GCP_ACCOUNT,
    GKE_CLUSTER,
    GKE_NODE_POOL,
    INTERNET_GATEWAY,
    NAT_GATEWAY,
    ROUTE,
    ROUTE_TABLE,
    ROUTE_TABLE_ASSOCIATION,
    SUBNET,
    VPN_GATEWAY,
)

family = Family("Access to machines")

_PUBLIC_ADDRESS = "A machine with a public address can be attacked without going through anything."
_NODE_ACCOUNT = "nodeConfig.serviceAccount"


@family.rule(
    "aws-eks-nodes-private",
    Severity.HIGH,
    "EKS machines stand in private subnets",
    types=(EKS_NODE_GROUP,),
    rationale=_PUBLIC_ADDRESS,
    remedy="Use subnets without public addresses and without a route to an internet gateway.",
    frameworks={Framework.CIS_EKS: ("5.4.3",)},
    examples=lambda: examples(
        given(EKS_NODE_GROUP, {"subnetIds": [Output(SUBNET)]}),
        given(SUBNET, {"mapPublicIpOnLaunch": False}),
        given(ROUTE_TABLE_ASSOCIATION, {"subnetId": Output(SUBNET), "routeTableId": Output(ROUTE_TABLE)}),
        given(ROUTE_TABLE),
        given(ROUTE, {"routeTableId": Output(ROUTE_TABLE), "natGatewayId": Output(NAT_GATEWAY)}),
        broken={
            "example.mapPublicIpOnLaunch is true": put("mapPublicIpOnLaunch", True, on=SUBNET),
            "example is a subnet with a route to an internet gateway": (
                put("gatewayId", Output(INTERNET_GATEWAY), on=ROUTE),
                put("gatewayId", "igw-0123", on=ROUTE),
                put("routes.0.gatewayId", Output(INTERNET_GATEWAY), on=ROUTE_TABLE),
            ),
        },
        undecided={
            "subnetIds is not subnets of this stack": put("subnetIds", ["subnet-1"]),
            "example is a subnet whose route table the plan does not know": (
                without(ROUTE_TABLE_ASSOCIATION),
                put("routeTableId", "rtb-1", on=ROUTE_TABLE_ASSOCIATION),
            ),
            "example.gatewayId is known only to the provider": put("gatewayId", Hidden(), on=ROUTE),
        },
        accepted={"": put("gatewayId", Output(VPN_GATEWAY), on=ROUTE)},
    ),
)
def eks_nodes_private(group: Resource, inventory: Inventory) -> Judgement:
    subnets = inventory.linked(group, "subnetIds", SUBNET)
    if not subnets:
        return unknown("subnetIds", "private subnets of this stack", "not subnets of this stack")
    return all_of(
        judge
        for subnet in subnets
        for judge in (_gives_no_address(subnet), _has_no_way_in(inventory, subnet), _near(group, subnet))
    )


def _near(group: Resource, subnet: Resource) -> Judgement:
    if same_region(group, subnet):
        return PASS
    return failed("subnetIds", f"{subnet.name} in {region_in(subnet)}", f"subnets in {region_in(group)}")


def _gives_no_address(subnet: Resource) -> Judgement:
    flag = "mapPublicIpOnLaunch"
    judged = absent_or(subnet, flag, lambda: equals(subnet, flag, False))
    problem = next(iter(judged.problems), None)
    return failed(f"{subnet.name}.{problem.path}", problem.found, problem.required) if problem else judged


def _has_no_way_in(inventory: Inventory, subnet: Resource) -> Judgement:
    """Whether no route of a subnet leads to the internet both ways; its table may be the network's main one."""
    if not routes_of(subnet, inventory):
        return unknown(
            subnet.name, "a route table of this stack", "a subnet whose route table the plan does not know"
        )
    return all_of(_is_no_way_in(way, subnet) for way in ways_of(subnet, inventory))


def _is_no_way_in(way: Way, subnet: Resource) -> Judgement:
    required = "a private subnet"
    if way.target is Target.UNKNOWN:
        return unknown(f"{way.holder.name}.{way.by}", required)
    if way.target is Target.INTERNET and way.by.rpartition(".")[2] in ("gatewayId", "carrierGatewayId"):
        return failed(subnet.name, "a subnet with a route to an internet gateway", required)
    return PASS


family.require(
    "gcp-gke-private-nodes",
    Severity.HIGH,
    "GKE machines have no public address",
    type=GKE_CLUSTER,
    inputs={"privateClusterConfig.enablePrivateNodes": (True, False)},
    rationale=_PUBLIC_ADDRESS,
    remedy="Set privateClusterConfig.enablePrivateNodes.",
    frameworks={Framework.CIS_GKE: ("5.6.5",), Framework.CHECKOV: ("CKV_GCP_64",)},
)


@family.rule(
    "aws-eks-no-open-ssh",
    Severity.HIGH,
    "EKS machines take no SSH from anywhere",
    types=(EKS_NODE_GROUP,),
    rationale="Remote access without source groups opens port 22 to the world.",
    remedy="Leave remoteAccess out, or name sourceSecurityGroupIds.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_100",)},
    examples=lambda: examples(
        given(EKS_NODE_GROUP),
        broken={
            "remoteAccess.sourceSecurityGroupIds is absent": put("remoteAccess", {"ec2SshKey": "key"}),
            "remoteAccess.sourceSecurityGroupIds is []": put("remoteAccess", {"sourceSecurityGroupIds": []}),
        },
        accepted={"": put("remoteAccess", {"sourceSecurityGroupIds": ["sg-1"]})},
    ),
)
def eks_no_open_ssh(group: Resource, _: Inventory) -> Judgement:
    if read(group, "remoteAccess") is ABSENT:
        return passed("no remote access is configured")
    return expect(group, "remoteAccess.sourceSecurityGroupIds", "named security groups", bool)


family.require(
    "aws-eks-node-metadata-v2",
    Severity.HIGH,
    "EKS machines answer metadata requests by token only, and not from pods",
    type=EC2_LAUNCH_TEMPLATE,
    inputs={
        "metadataOptions.httpTokens": ("required", "optional"),
        "metadataOptions.httpPutResponseHopLimit": (1, 2),
    },
    rationale="With version 1, or a second hop, any pod can take the machine's credentials.",
    remedy='Set metadataOptions.httpTokens to "required" and httpPutResponseHopLimit to 1.',
    frameworks={Framework.AWS_FSBP: ("EC2.170",), Framework.CHECKOV: ("CKV_AWS_79", "CKV_AWS_341")},
)


family.require(
    "gcp-gke-node-metadata-hidden",
    Severity.HIGH,
    "GKE pods cannot read the machine's credentials",
    type=GKE_NODE_POOL,
    inputs={"nodeConfig.workloadMetadataConfig.mode": ("GKE_METADATA", "GCE_METADATA")},
    rationale="The machine's metadata server hands its service account's token to any pod that asks.",
    remedy='Set workloadMetadataConfig.mode to "GKE_METADATA".',
    frameworks={Framework.CIS_GKE: ("5.2.2",), Framework.CHECKOV: ("CKV_GCP_69",)},
)


@family.rule(
    "gcp-gke-node-own-account",
    Severity.HIGH,
    "GKE machines do not use the default service account",
    types=(GKE_NODE_POOL,),
    rationale="The default account may edit the whole project.",
    remedy="Set nodeConfig.serviceAccount to an account with the few roles that nodes need.",
    frameworks={Framework.CIS_GKE: ("5.2.1",)},
    examples=lambda: examples(
        given(GKE_NODE_POOL, {_NODE_ACCOUNT: Output(GCP_ACCOUNT)}),
        broken={
            f"{_NODE_ACCOUNT} is absent": drop(_NODE_ACCOUNT),
            f'{_NODE_ACCOUNT} is "default"': put(_NODE_ACCOUNT, "default"),
            f'{_NODE_ACCOUNT} is "1-compute@developer.gserviceaccount.com"': put(
                _NODE_ACCOUNT, "1-compute@developer.gserviceaccount.com"
            ),
        },
        undecided={f"{_NODE_ACCOUNT} is known only to the provider": put(_NODE_ACCOUNT, Hidden())},
        accepted={"": put(_NODE_ACCOUNT, "nodes@p.iam.gserviceaccount.com")},
    ),
)
def gke_node_own_account(pool: Resource, inventory: Inventory) -> Judgement:
    required = "a service account of this stack"
    if is_hidden(read(pool, _NODE_ACCOUNT)):
        own = inventory.linked(pool, "nodeConfig", GCP_ACCOUNT)
        return passed(own[0].name) if own else unknown(_NODE_ACCOUNT, required)
    suffix = "-compute@developer.gserviceaccount.com"
    return expect(pool, _NODE_ACCOUNT, required, lambda v: v not in ("", "default") and not v.endswith(suffix))
