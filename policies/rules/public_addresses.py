"""What stands on the internet by an input of its own: nothing, for the door's load balancer is Kubernetes'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import PASS, all_of, failed, unknown
from policies.examples import Hidden, Output, both, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.reach import aws_openings, gcp_openings
from policies.reach.aws import told
from policies.reach.openings import Opening, found
from policies.tokens import EC2_LAUNCH_TEMPLATE, GCP_INSTANCE, SUBNET

family = Family("Public addresses")

_REQUIRED: Final = "closed: clients come by fleet.door alone"
_ADDRESS: Final = "networkInterfaces.0.associatePublicIpAddress"
_INTERFACE: Final = "networkInterfaces.0"


@family.rule(
    "aws-no-public-address",
    Severity.CRITICAL,
    "Nothing on AWS has an address on the internet by itself",
    types=tuple(aws_openings.OPENINGS),
    rationale="What has a public address lacks one route or one line of a group to be attacked; the door is watched.",
    remedy="Make it internal, or remove it.",
    frameworks={
        Framework.AWS_FSBP: ("EC2.9", "EC2.25", "RDS.2", "AutoScaling.5", "Redshift.1", "ES.2"),
        Framework.CHECKOV: ("CKV_AWS_17", "CKV_AWS_69", "CKV_AWS_87", "CKV_AWS_88", "CKV_AWS_89"),
    },
    examples=lambda: examples(
        given(EC2_LAUNCH_TEMPLATE, {_ADDRESS: "false"}),
        broken={
            f'{_ADDRESS} is "true", so machines with public addresses (world → example)': (
                put(_ADDRESS, "true"),
                put(_ADDRESS, True),
            ),
            f"{_INTERFACE}.ipv6AddressCount is 1, so machines with public addresses (world → example)": put(
                f"{_INTERFACE}.ipv6AddressCount", 1
            ),
            f'{_ADDRESS} is "true", so machines with public addresses (world → example; no route of a leads to the '
            "internet yet)": both(put(_ADDRESS, True), put(f"{_INTERFACE}.subnetId", Output(SUBNET, "a"))),
        },
        undecided={
            f"{_ADDRESS} is known only to the provider": put(_ADDRESS, Hidden()),
            "networkInterfaces.associatePublicIpAddress is known only to the provider": put(
                "networkInterfaces", Hidden()
            ),
        },
        accepted={"": (put(_ADDRESS, False), drop("networkInterfaces"))},
    ),
)
def aws_no_public_address(resource: Resource, inventory: Inventory) -> Judgement:
    return _judged(resource, inventory, aws_openings.OPENINGS, on_aws=True)


@family.rule(
    "gcp-no-public-address",
    Severity.CRITICAL,
    "Nothing on Google Cloud has an address on the internet by itself",
    types=tuple(gcp_openings.OPENINGS),
    rationale="What has a public address lacks one firewall rule to be attacked, and needs none to send data out.",
    remedy="Make it internal, or remove it.",
    frameworks={
        Framework.CIS_GKE: ("5.6.5",),
        Framework.CHECKOV: ("CKV_GCP_40", "CKV_GCP_60", "CKV_GCP_11"),
    },
    examples=lambda: examples(
        given(GCP_INSTANCE, {_INTERFACE: {"network": "n"}}),
        broken={
            # An access configuration without anything in it takes an address of Google's.
            f"{_INTERFACE}.accessConfigs is [{{}}], so a machine with a public address": put(
                f"{_INTERFACE}.accessConfigs", [{}]
            ),
            f'{_INTERFACE}.ipv6AccessConfigs is [{{"networkTier": "PREMIUM"}}], so a machine with a public address': (
                put(f"{_INTERFACE}.ipv6AccessConfigs", [{"networkTier": "PREMIUM"}])
            ),
        },
        undecided={
            f"{_INTERFACE}.accessConfigs is known only to the provider": put(f"{_INTERFACE}.accessConfigs", Hidden())
        },
        accepted={"": put(f"{_INTERFACE}.accessConfigs", [])},
    ),
)
def gcp_no_public_address(resource: Resource, inventory: Inventory) -> Judgement:
    return _judged(resource, inventory, gcp_openings.OPENINGS, on_aws=False)


def _judged(
    resource: Resource, inventory: Inventory, table: Mapping[str, tuple[Opening, ...]], *, on_aws: bool
) -> Judgement:
    judged = all_of(
        each for opening in table[resource.type] for each in _opening(resource, inventory, opening, on_aws=on_aws)
    )
    return judged if judged.problems else PASS


def _opening(resource: Resource, inventory: Inventory, opening: Opening, *, on_aws: bool) -> Iterator[Judgement]:
    for each in found(resource, opening):
        if each.hidden:
            yield unknown(each.path, _REQUIRED)
            continue
        way = f" ({told(resource, inventory)})" if on_aws else ""
        words = f"{each.value}, so {opening.what}{way}" if each.path else f"{opening.what}{way}"
        yield failed(each.path, words, _REQUIRED)
