"""How the door runs: where its load balancer stands, and that the door is there when a machine goes."""

from __future__ import annotations

from typing import Final

from components.contracts.vocabulary import Cloud
from policies.checks import ABSENT, PASS, all_of, at_least, expect, passed, read, shown
from policies.examples import Hidden, both, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.reach.declared import declared
from policies.reach.kubernetes import balancer_is_inside, ranges_within
from policies.settings_view import SettingsView, door_reason
from policies.tokens import ENVOY_PROXY
from policies.workloads import keeps_some, seconds_of

family = Family("How the door runs")

_KUBERNETES: Final = "spec.provider.kubernetes"
_SERVICE: Final = f"{_KUBERNETES}.envoyService"
_RANGES: Final = f"{_SERVICE}.loadBalancerSourceRanges"
_POD: Final = f"{_KUBERNETES}.envoyDeployment"
_BUDGET: Final = f"{_KUBERNETES}.envoyPDB"
_DRAIN: Final = "spec.shutdown.drainTimeout"
_DRAIN_SECONDS_MIN: Final = 10
_REWRITTEN: Final = (f"{_SERVICE}.patch", f"{_POD}.patch", f"{_BUDGET}.patch", "spec.bootstrap")
"""What changes objects or Envoy's own start behind everything else that stands here."""
_INTERNAL: Final = {
    Cloud.AWS: "service.beta.kubernetes.io/aws-load-balancer-internal",
    Cloud.GCP: "networking.gke.io/load-balancer-type",
}
"""The annotation by which a cloud's own controller makes what is internal."""
_FACING: Final = {
    _INTERNAL[Cloud.AWS]: "true",
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
}


@family.rule(
    "k8s-door-narrow",
    Severity.CRITICAL,
    "The door's load balancer is internal unless opted out, and lets named networks through",
    types=(ENVOY_PROXY,),
    rationale="What is on the internet is attacked within minutes, and a door for everyone fences nobody off.",
    remedy="Remove fleet.door.public, or name its source_ranges and what stands in for a firewall.",
    examples=lambda: examples(
        given(ENVOY_PROXY, {f"{_SERVICE}.annotations": {_INTERNAL[Cloud.AWS]: "true"}, _RANGES: ["10.20.0.0/16"]}),
        broken={
            f"{_SERVICE}.annotations is {{}}": put(f"{_SERVICE}.annotations", {}),
            # The other cloud's annotation says nothing to this one.
            f'{_SERVICE}.annotations is {{"{_INTERNAL[Cloud.GCP]}": "Internal"}}': put(
                f"{_SERVICE}.annotations", {_INTERNAL[Cloud.GCP]: "Internal"}
            ),
            f'{_SERVICE}.type is "NodePort"': put(f"{_SERVICE}.type", "NodePort"),
            f'{_SERVICE}.loadBalancerClass is "service.k8s.aws/nlb"': put(
                f"{_SERVICE}.loadBalancerClass", "service.k8s.aws/nlb"
            ),
            f"{_RANGES} is absent": drop(_RANGES),
            f'{_RANGES} is ["0.0.0.0/0"]': put(_RANGES, ["0.0.0.0/0"]),
            f'{_RANGES} is ["10.20.0.0/16", "::/0"]': put(f"{_RANGES}.1", "::/0"),
            f'{_RANGES} is ["203.0.113.0/24"]': put(_RANGES, ["203.0.113.0/24"]),
            f"{_SERVICE}.annotations is {shown(_FACING)}": put(f"{_SERVICE}.annotations", _FACING),
        },
        undecided={f"{_SERVICE}.annotations is known only to the provider": put(f"{_SERVICE}.annotations", Hidden())},
        accepted={
            "": (
                both(setting("cloud", "gcp"), put(f"{_SERVICE}.annotations", {_INTERNAL[Cloud.GCP]: "Internal"})),
                put(_RANGES, ["10.20.0.0/17", "10.20.128.0/17"]),
            ),
            "a firewall stands before it": both(
                setting(
                    "fleet.door.public",
                    {"source_ranges": ["203.0.113.0/24"], "firewall_because": "a firewall stands before it"},
                ),
                put(_RANGES, ["203.0.113.0/25", "203.0.113.128/25"]),
                put(f"{_SERVICE}.annotations", {}),
            ),
        },
    ),
)
def door_narrow(proxy: Resource, inventory: Inventory) -> Judgement:
    reason = door_reason(inventory, "public", "firewall_because")
    networks = declared(inventory)
    cloud = SettingsView.of(inventory.settings).cloud or Cloud.AWS
    inside = expect(
        proxy,
        f"{_SERVICE}.annotations",
        f"marked as internal by {_INTERNAL[cloud]}",
        lambda notes: balancer_is_inside(notes, cloud),
    )
    ranges = ranges_within(
        proxy,
        _RANGES,
        networks.clients | networks.private if reason else networks.private,
        "networks that the settings name",
    )
    kind = _or_absent(proxy, f"{_SERVICE}.type", "LoadBalancer or ClusterIP")
    # Another controller's: it reads other annotations.
    made_by = _or_absent(proxy, f"{_SERVICE}.loadBalancerClass", "absent: the cloud's own controller")
    return all_of((passed(reason) if reason else inside, ranges, kind, made_by))


def _or_absent(proxy: Resource, path: str, required: str) -> Judgement:
    found = read(proxy, path)
    return PASS if found is ABSENT else expect(proxy, path, required, lambda value: value in required.split(" or "))


@family.rule(
    "k8s-door-stays-up",
    Severity.HIGH,
    "The door runs in two replicas, which end in good order one after the other",
    types=(ENVOY_PROXY,),
    rationale="Every request passes the door: without a second replica, or with one that breaks its connections off, "
    "each upgrade of a machine is an outage.",
    remedy="Build it by components.kubernetes.gateway.objects, and keep fleet.door.replicas at 2 or more.",
    examples=lambda: examples(
        given(
            ENVOY_PROXY,
            {
                f"{_POD}.replicas": 2,
                f"{_POD}.pod.priorityClassName": "door",
                f"{_BUDGET}.maxUnavailable": 1,
                _DRAIN: "60s",
            },
        ),
        broken={
            f"{_POD}.replicas is 1": put(f"{_POD}.replicas", 1),
            f"{_POD}.replicas is absent": drop(f"{_POD}.replicas"),
            f"{_POD}.pod.priorityClassName is absent": drop(f"{_POD}.pod.priorityClassName"),
            f"{_BUDGET}.maxUnavailable is 0": put(f"{_BUDGET}.maxUnavailable", 0),
            f"{_BUDGET}.maxUnavailable is absent": drop(_BUDGET),
            f"{_BUDGET}.minAvailable is 2": put(f"{_BUDGET}.minAvailable", 2),
            f'{_DRAIN} is "0s"': put(_DRAIN, "0s"),
            f"{_DRAIN} is absent": drop(_DRAIN),
            **{f'{path} is {{"value": {{}}}}': put(path, {"value": {}}) for path in _REWRITTEN},
        },
        undecided={f"{_POD}.replicas is known only to the provider": put(f"{_POD}.replicas", Hidden())},
        accepted={"": put(f"{_BUDGET}.maxUnavailable", "25%")},
    ),
)
def door_stays_up(proxy: Resource, _: Inventory) -> Judgement:
    return all_of(
        (
            at_least(proxy, f"{_POD}.replicas", 2, "replicas"),
            expect(proxy, f"{_POD}.pod.priorityClassName", "a priority above the fleet's", bool),
            expect(proxy, f"{_BUDGET}.maxUnavailable", "1, or a part of the replicas", keeps_some),
            expect(
                proxy,
                _DRAIN,
                f"{_DRAIN_SECONDS_MIN} seconds or more",
                lambda found: seconds_of(found) >= _DRAIN_SECONDS_MIN,
            ),
            *(_absent(proxy, path) for path in (f"{_BUDGET}.minAvailable", *_REWRITTEN)),
        )
    )


def _absent(proxy: Resource, path: str) -> Judgement:
    found = read(proxy, path)
    return PASS if found is ABSENT else expect(proxy, path, "absent", lambda _: False)
