"""Networks that GKE's control plane would answer: the stack's own."""

from __future__ import annotations

from typing import Final

from policies.checks import PASS, all_of, failed, is_masked, unknown
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.reach.declared import declared
from policies.reach.kubernetes import ranges_within
from policies.reach.values import flag, paths
from policies.tokens import GKE_CLUSTER

family = Family("Authorised networks")

_AUTHORIZED: Final = "masterAuthorizedNetworksConfig"


@family.rule(
    "gcp-gke-authorized-networks",
    Severity.HIGH,
    "GKE's authorised networks are the stack's own, and not those of everybody on Google Cloud",
    types=(GKE_CLUSTER,),
    rationale="They wait for the day on which someone switches the address of the control plane on.",
    remedy="Leave masterAuthorizedNetworksConfig out, or name the stack's own ranges.",
    frameworks={Framework.CIS_GKE: ("5.6.3",)},
    examples=lambda: examples(
        given(GKE_CLUSTER, {f"{_AUTHORIZED}.cidrBlocks.0.cidrBlock": "10.20.0.0/20"}),
        broken={
            f'{_AUTHORIZED}.cidrBlocks.0.cidrBlock is "0.0.0.0/1"': put(
                f"{_AUTHORIZED}.cidrBlocks.0.cidrBlock", "0.0.0.0/1"
            ),
            f"{_AUTHORIZED}.gcpPublicCidrsAccessEnabled is true": put(
                f"{_AUTHORIZED}.gcpPublicCidrsAccessEnabled", True
            ),
        },
        undecided={
            f"{_AUTHORIZED}.cidrBlocks.0.cidrBlock is known only to the provider": put(
                f"{_AUTHORIZED}.cidrBlocks.0.cidrBlock", Hidden()
            )
        },
        accepted={"": (drop(_AUTHORIZED), put(f"{_AUTHORIZED}.gcpPublicCidrsAccessEnabled", False))},
    ),
)
def gke_authorized_networks(cluster: Resource, inventory: Inventory) -> Judgement:
    required = "the stack's own networks"
    path = f"{_AUTHORIZED}.gcpPublicCidrsAccessEnabled"
    if is_masked(cluster, _AUTHORIZED):
        hidden = next((p for p in cluster.unknown_paths if p.startswith(_AUTHORIZED)), _AUTHORIZED)
        return unknown(hidden, required)
    blocks = [f"{block}.cidrBlock" for block in paths(cluster, f"{_AUTHORIZED}.cidrBlocks")]
    judged = all_of(
        (
            *(ranges_within(cluster, block, declared(inventory).private, required) for block in blocks),
            failed(path, "true", "false") if flag(cluster, path, default=False) is not False else PASS,
        )
    )
    return judged if judged.problems else PASS
