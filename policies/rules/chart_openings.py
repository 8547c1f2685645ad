"""Ways that a chart opens when it is told to: none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import PASS, all_of, failed, is_hidden, read, shown, unknown
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.reach.values import truth
from policies.tokens import RELEASE

family = Family("Ways opened by charts")

_TYPES: Final = ("type", "servicetype")
_ADDRESSES: Final = ("externalips", "loadbalancerip", "nodeport")
_NONE: Final = "no way of its own"


@family.rule(
    "k8s-releases-open-nothing",
    Severity.HIGH,
    "Charts are not told to open ways of their own",
    types=(RELEASE,),
    rationale="What a chart makes is in no plan: a value of it is all that stands between a pod and the internet.",
    remedy="Leave Services of charts at ClusterIP, and their Ingresses, host networks and external addresses off.",
    examples=lambda: examples(
        given(RELEASE, {"values": {"webhook": {"service": {"type": "ClusterIP"}, "hostNetwork": False}}}, "chart"),
        broken={
            'values.webhook.service.type is "LoadBalancer"': put("values.webhook.service.type", "LoadBalancer"),
            'values.webhook.serviceType is "NodePort"': put("values.webhook.serviceType", "NodePort"),
            "values.webhook.hostNetwork is true": put("values.webhook.hostNetwork", True),
            "values.ingress.enabled is true": put("values.ingress.enabled", True),
            'values.a.0.externalIPs is ["203.0.113.7"]': put("values.a.0.externalIPs", ["203.0.113.7"]),
            'values.a.hostNetwork is "true"': put("values.a.hostNetwork", "true"),
        },
        undecided={
            "values is known only to the provider": put("values", Hidden()),
            "values.webhook.service is known only to the provider": put("values.webhook.service", Hidden()),
        },
        accepted={"": (drop("values"), put("values.ingress.enabled", "false"))},
    ),
)
def releases_open_nothing(release: Resource, _: Inventory) -> Judgement:
    if is_hidden(read(release, "values")):
        return unknown("values", _NONE)
    judged = all_of(
        unknown(path, _NONE) if is_hidden(value) else failed(path, shown(value), _NONE)
        for path, value in _opened(read(release, "values"))
    )
    return judged if judged.problems else PASS


def _opened(node: Any, path: str = "values") -> Iterator[tuple[str, Any]]:
    """The values of a chart that open a way, by the names that charts use for them."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from _opened(each, f"{path}.{index}")
    for key, value in node.items() if isinstance(node, Mapping) else ():
        at, name = f"{path}.{key}", str(key).lower()
        if _opens(name, value) or (name in ("service", "ingress") and is_hidden(value)):
            yield at, value
        elif name == "ingress" and isinstance(value, Mapping) and _on(value.get("enabled")):
            yield f"{at}.enabled", value.get("enabled")
        else:
            yield from _opened(value, at)


def _opens(name: str, value: Any) -> bool:
    if name.endswith(("type", "servicetype")) and name in _TYPES:
        return is_hidden(value) or value in ("LoadBalancer", "NodePort")
    if name in ("hostnetwork", "hostport"):
        return _on(value)
    return name in _ADDRESSES and value not in (None, [], "", 0)


def _on(value: object) -> bool:
    return value not in (None, "", 0) and truth(value, default=False) is not False
