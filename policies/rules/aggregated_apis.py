"""APIs that the cluster's API server hands to other servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policies.checks import ABSENT, PASS, all_of, equals, expect, failed, is_hidden, items, read, shown, unknown
from policies.examples import Hidden, both, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.reach.values import mapping, members, number
from policies.services import of_the_stack
from policies.tokens import HPA, SERVICE

family = Family("Aggregated APIs")

_API: Final = "kubernetes:apiregistration.k8s.io/v1:APIService"
_HIGHEST: Final = 2000
"""Where the priorities of platforms begin, Kubernetes' own are above (API reference of APIServiceSpec, as the
installed SDK repeats it)."""
_CUSTOM: Final = "custom.metrics.k8s.io"
_ADAPTER: Final = {"name": "prometheus-adapter", "namespace": "autoscaling-metrics"}
_SERVED: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    # The adapter signs its own certificate at each start, so that there is none to pin: it alone may be unverified.
    _CUSTOM: ("v1beta1", _ADAPTER),
}
"""Group → version and Service of each API that the stack itself serves."""
_METRICS: Final = {"pods": _CUSTOM, "object": _CUSTOM, "external": "external.metrics.k8s.io"}


@family.rule(
    "k8s-apis-served-as-listed",
    Severity.CRITICAL,
    "The API server hands requests to servers of the stack that are listed, and to no others",
    types=(_API,),
    rationale="Whoever serves a group of the API sees every request for it with the caller's name, and answers for "
    "the cluster; a group of Kubernetes' own may be taken over in this way.",
    remedy="List the API with its Service and version in this rule, and give its caBundle.",
    examples=lambda: examples(
        given(
            _API,
            {
                "metadata.name": f"v1beta1.{_CUSTOM}",
                "spec": {
                    "group": _CUSTOM,
                    "groupPriorityMinimum": 100,
                    "insecureSkipTLSVerify": True,
                    "service": dict(_ADAPTER),
                    "version": "v1beta1",
                    "versionPriority": 100,
                },
            },
            _CUSTOM,
        ),
        given(SERVICE, {"metadata": dict(_ADAPTER)}, "adapter"),
        broken={
            'spec.group is "apps"': put("spec.group", "apps"),
            "spec.group is absent": drop("spec.group"),
            'spec.version is "v1"': put("spec.version", "v1"),
            'metadata.name is "v1.apps"': put("metadata.name", "v1.apps"),
            'spec.service is {"name": "prometheus-adapter", "namespace": "default"}': put(
                "spec.service.namespace", "default"
            ),
            'spec.service is {"name": "prometheus-adapter", "namespace": "autoscaling-metrics"}': without(
                SERVICE, "adapter"
            ),
            "spec.service is absent": drop("spec.service"),
            "spec.groupPriorityMinimum is 20000": put("spec.groupPriorityMinimum", 20000),
            "spec.versionPriority is 2000": put("spec.versionPriority", 2000),
            "neither spec.caBundle nor spec.insecureSkipTLSVerify is set": put("spec.insecureSkipTLSVerify", False),
        },
        undecided={
            f"{path} is known only to the provider": put(path, Hidden())
            for path in ("spec.group", "spec.service", "spec.versionPriority", "spec.insecureSkipTLSVerify")
        },
        accepted={"": both(drop("spec.insecureSkipTLSVerify"), put("spec.caBundle", "Q0E="))},
    ),
)
def apis_served_as_listed(found: Resource, inventory: Inventory) -> Judgement:
    group = expect(found, "spec.group", "one of " + ", ".join(_SERVED), lambda value: value in _SERVED)
    if group is not PASS:
        return group
    version, service = _SERVED[read(found, "spec.group")]
    own = of_the_stack(found, inventory, "spec.service")
    named: Any = mapping(read(found, "spec.service"))
    if own is PASS and any(named.get(key) != value for key, value in service.items()):
        own = failed("spec.service", shown(named), shown(dict(service)))
    below = f"1 to {_HIGHEST - 1}"
    priorities = (
        expect(found, f"spec.{name}", below, lambda value: 0 < (number(value) or 0) < _HIGHEST)
        for name in ("groupPriorityMinimum", "versionPriority")
    )
    return all_of(
        (
            own,
            equals(found, "spec.version", version),
            equals(found, "metadata.name", f"{version}.{read(found, 'spec.group')}"),
            *priorities,
            _verified(found),
        )
    )


def _verified(found: Resource) -> Judgement:
    ca, unverified, required = read(found, "spec.caBundle"), read(found, "spec.insecureSkipTLSVerify"), "a caBundle"
    if is_hidden(ca) or is_hidden(unverified):
        return unknown("spec.caBundle" if is_hidden(ca) else "spec.insecureSkipTLSVerify", required)
    if unverified is True or ca not in (ABSENT, ""):
        return PASS
    return failed("", "neither spec.caBundle nor spec.insecureSkipTLSVerify is set", required)


@family.rule(
    "k8s-autoscaler-metrics-served",
    Severity.HIGH,
    "The API of the metrics that an autoscaler goes by is served",
    types=(HPA,),
    rationale="An autoscaler whose metrics nobody serves leaves the fleet at the size that it has.",
    remedy="Keep the APIService of the metrics adapter.",
    examples=lambda: examples(
        given(HPA, {"spec.metrics": [{"pods": {"metric": {"name": "busy"}}}]}, "served"),
        given(_API, {"spec.group": _CUSTOM}, _CUSTOM),
        broken={
            f"nothing serves {_CUSTOM}": (
                without(_API, _CUSTOM),
                put("spec.group", "other", on=_API, name=_CUSTOM),
            ),
            "nothing serves external.metrics.k8s.io": put(
                "spec.metrics", [{"external": {"metric": {"name": "busy"}}}]
            ),
        },
        undecided={"spec.metrics is known only to the provider": put("spec.metrics", Hidden())},
        accepted={"": put("spec.metrics", [{"resource": {"name": "cpu"}}])},
    ),
)
def autoscaler_metrics_served(scaler: Resource, inventory: Inventory) -> Judgement:
    required = "an APIService for it"
    if any(map(is_hidden, members(read(scaler, "spec.metrics")))):
        return unknown("spec.metrics", required)
    served = {str(read(each, "spec.group")) for each in inventory.of_type(_API)}
    kinds = [kind for path in items(scaler, "spec.metrics") for kind in mapping(read(scaler, path))]
    asked = {_METRICS[kind] for kind in kinds if kind in _METRICS}
    return all_of(failed("", f"nothing serves {group}", required) for group in sorted(asked - served))
