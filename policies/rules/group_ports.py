"""What security groups must not hold: ports that nobody named, and anything at all in a default group."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, not_applicable, read, shown, unknown
from policies.examples import Hidden, Output, both, drop, examples, given, plus, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions
from policies.model import Framework, Judgement, Severity
from policies.reach.aws_groups import DEFAULT_GROUP, EGRESS, INGRESS, RULE, Line, groups, lines, users
from policies.reach.traffic import ADMINISTRATIVE, EVERY_PORT, EVERY_PROTOCOL, FEW_PORTS
from policies.reach.values import paths
from policies.rules.security_groups import INGRESS_LINE
from policies.tokens import EC2_INSTANCE, SECURITY_GROUP, VPC

family = Family("Ports and default groups")


@family.rule(
    "aws-ingress-ports-named",
    Severity.HIGH,
    "Security groups admit networks on named ports, and on none for administration",
    types=(INGRESS, RULE, SECURITY_GROUP, DEFAULT_GROUP),
    rationale="A machine answers on more ports than its service's: SSH, the kubelet, whatever was left running.",
    remedy="Name the protocol and the port of the service.",
    frameworks={Framework.AWS_FSBP: ("EC2.13", "EC2.14")},
    examples=lambda: examples(
        given(INGRESS, INGRESS_LINE),
        broken={
            "ipProtocol is every protocol": (put("ipProtocol", "-1"), put("ipProtocol", -1)),
            "fromPort is tcp 1-65000": both(put("fromPort", 1), put("toPort", 65000)),
            "fromPort is tcp, every port": both(put("fromPort", "0"), put("toPort", "65535")),
            "fromPort is tcp 22": both(put("fromPort", "22"), put("toPort", 22.0)),
            "fromPort is tcp 20-25": both(put("fromPort", 20), put("toPort", 25), put("ipProtocol", "6")),
        },
        undecided={"fromPort is known only to the provider": put("fromPort", Hidden())},
        accepted={
            "": (put("ipProtocol", "6"), put("toPort", "443"), put("ipProtocol", "TCP")),
            "no line of it admits a network": both(
                drop("cidrIpv4"), put("ipProtocol", "-1"), put("referencedSecurityGroupId", "sg-1")
            ),
        },
    ),
)
def ingress_ports_named(holder: Resource, inventory: Inventory) -> Judgement:
    found = [line for line in lines(holder, inventory) if line.inward and (line.box.addresses or line.hidden)]
    judged = all_of(_ports(line) for line in found)
    return (judged if judged.problems else PASS) if found else not_applicable("no line of it admits a network")


def _ports(line: Line) -> Judgement:
    at = line.path.rpartition(".")[0] if line.path.count(".") else ""
    prefix = f"{at}." if at else ""
    required = "one protocol, and the ports of a service"
    ends = [read(line.holder, f"{prefix}{name}") for name in ("protocol", "ipProtocol", "fromPort", "toPort")]
    if any(map(is_hidden, ends)):
        return unknown(f"{prefix}fromPort", required)
    if line.box.protocols == EVERY_PROTOCOL:
        name = f"{prefix}ipProtocol" if line.holder.type in (INGRESS, EGRESS) else f"{prefix}protocol"
        return failed(name, "every protocol", required)
    has_ports = line.ports.startswith(("tcp", "udp"))
    many = has_ports and (line.box.ports == EVERY_PORT or line.box.ports.size > FEW_PORTS)
    if many or (has_ports and any(port in line.box.ports for port in ADMINISTRATIVE)):
        return failed(f"{prefix}fromPort", line.ports, required)
    return PASS


@family.rule(
    "aws-default-group-closed",
    Severity.MEDIUM,
    "A network's default security group is empty, and nothing stands in it",
    types=(VPC,),
    rationale="Whatever forgets to name a group gets the default one, which as AWS makes it lets its members talk.",
    remedy="Take it over by a DefaultSecurityGroup without ingress and egress, and name groups of one's own.",
    frameworks={Framework.AWS_FSBP: ("EC2.2",), Framework.CHECKOV: ("CKV2_AWS_12",)},
    examples=lambda: examples(
        given(VPC),
        given(DEFAULT_GROUP, {"vpcId": Output(VPC), "ingress": [], "egress": []}),
        broken={
            "its default group is left as AWS makes it": (
                without(DEFAULT_GROUP),
                put("vpcId", "vpc-another", on=DEFAULT_GROUP),
            ),
            'example.ingress.0 is {"protocol": "-1", "self": true}': put(
                "ingress", [{"protocol": "-1", "self": True}], on=DEFAULT_GROUP
            ),
            "late is a line of the default group": plus(
                given(INGRESS, {**INGRESS_LINE, "securityGroupId": Output(DEFAULT_GROUP)}, "late")
            ),
            "vm stands in the default group": plus(
                given(EC2_INSTANCE, {"vpcSecurityGroupIds": [Output(DEFAULT_GROUP)]}, "vm")
            ),
        },
        undecided={"example.egress is known only to the provider": put("egress", Hidden(), on=DEFAULT_GROUP)},
        accepted={"": both(drop("ingress", on=DEFAULT_GROUP), drop("egress", on=DEFAULT_GROUP))},
    ),
)
def default_group_closed(vpc: Resource, inventory: Inventory) -> Judgement:
    adopted = companions(inventory, vpc, "vpcId", (), DEFAULT_GROUP)
    if not adopted:
        return failed("", "its default group is left as AWS makes it", "a DefaultSecurityGroup without lines")
    judged = all_of(each for group in adopted for each in _empty(group, vpc, inventory))
    return judged if judged.problems else PASS


def _empty(group: Resource, vpc: Resource, inventory: Inventory) -> Iterator[Judgement]:
    for direction in ("ingress", "egress"):
        value = read(group, direction)
        if is_hidden(value):
            yield unknown(f"{group.name}.{direction}", "no line")
        elif value not in (ABSENT, []):
            for path in paths(group, direction):
                yield failed(f"{group.name}.{path}", shown(read(group, path)), "no line")
    late = [
        line for urn in (group.urn, vpc.urn) for line in groups(inventory).get(urn, ()) if line.holder is not group
    ]
    for line in late:
        yield failed("", f"{line.holder.name} is a line of the default group", "no line")
    for each in users(inventory).get(group.urn, ()):
        yield failed("", f"{each.name} stands in the default group", "groups of one's own")
