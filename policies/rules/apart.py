"""What all services depend on stands apart: a lost machine takes one replica of it, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.contracts import serving
from components.contracts.apart import EACH_TEMPLATE, HOSTNAME, MACHINES_APART, Apart
from policies.checks import (
    all_of,
    any_of,
    at_least,
    equals,
    expect,
    failed,
    is_hidden,
    items,
    not_applicable,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.examples import Hidden, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import DEPLOYMENT, ENVOY_PROXY, RELEASE
from policies.workloads import pod_labels

family = Family("Machines apart")

REQUIRED: Final = (
    f"DoNotSchedule over {HOSTNAME}, maxSkew 1, minDomains {MACHINES_APART}, nodeTaintsPolicy Honor, matchLabelKeys "
    f"{', '.join(EACH_TEMPLATE)}, over the pods' own labels"
)
_SPREAD: Final = "topologySpreadConstraints"
_POD: Final = f"spec.template.spec.{_SPREAD}"
_ANTI: Final = "values.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"
_OF_CHARTS: Final = {
    "/gateway-helm@": (f"values.deployment.pod.{_SPREAD}",),
    "/cert-manager@": tuple(f"values.{part}{_SPREAD}" for part in ("", "webhook.", "cainjector.")),
}
_LABELS: Final = {"app.kubernetes.io/name": "prometheus"}
_KEPT: Final = Apart(MACHINES_APART)
_NAME: Final = "apart"
_REPLICA: Final = "what serves one service may stand anywhere"


def _chart(name: str) -> str:
    return f"oci://111122223333.dkr.ecr.eu-west-1.amazonaws.com/prod/mirror/{name}@sha256:{'a' * 64}"


@family.rule(
    "k8s-essential-apart",
    Severity.HIGH,
    "Replicas of what all services depend on never share a machine where the pool keeps two",
    types=(DEPLOYMENT, RELEASE, ENVOY_PROXY),
    rationale="A soft spread lets two stand together after a rollout on nearly full machines, or after a drain, and "
    "nothing moves them apart: the next lost machine takes the door, or what scales all services.",
    remedy="Take the constraints of components.contracts.apart.",
    examples=lambda: examples(
        given(
            DEPLOYMENT,
            {
                "metadata.namespace": "autoscaling-metrics",
                "spec.template": {"metadata": {"labels": _LABELS}, "spec": {_SPREAD: _KEPT.manifests(_LABELS)}},
            },
            _NAME,
        ),
        given(
            ENVOY_PROXY, {"spec.provider.kubernetes.envoyDeployment.pod": {_SPREAD: _KEPT.manifests(_LABELS)}}, _NAME
        ),
        given(
            RELEASE,
            {"chart": _chart("gateway-helm"), f"values.deployment.pod.{_SPREAD}": _KEPT.manifests(_LABELS)},
            _NAME,
        ),
        broken={
            f"{_POD} lets two stand on one machine": (
                drop(_POD),
                put(f"{_POD}.0.whenUnsatisfiable", "ScheduleAnyway"),
                put(f"{_POD}.0.maxSkew", 2),
                put(f"{_POD}.0.topologyKey", "topology.kubernetes.io/zone"),
                put(f"{_POD}.0.labelSelector.matchLabels", {"app.kubernetes.io/name": "prometheuss"}),
                drop(f"{_POD}.0.labelSelector"),
                drop(f"{_POD}.0.matchLabelKeys"),
                drop(f"{_POD}.0.minDomains"),
                drop(f"{_POD}.0.nodeTaintsPolicy"),
            ),
        },
        undecided={
            f"{_POD}.0.whenUnsatisfiable is known only to the provider": put(f"{_POD}.0.whenUnsatisfiable", Hidden()),
            f"{_POD} is known only to the provider": put(_POD, Hidden()),
            "metadata.namespace is known only to the provider": put("metadata.namespace", Hidden()),
        },
        accepted={
            _REPLICA: (
                put("metadata.namespace", serving.NAMESPACE),
                put("spec.template.metadata.labels", {"app.kubernetes.io/name": serving.APP}),
            ),
            "the pool keeps one machine": setting("pools", {"system": {"min_nodes": 1}}),
        },
    ),
)
def essential_apart(resource: Resource, inventory: Inventory) -> Judgement:
    if not Apart(SettingsView.of(inventory.settings).machines_kept).hard:
        return not_applicable("the pool keeps one machine")
    if resource.type == ENVOY_PROXY:
        return _hard(resource, f"spec.provider.kubernetes.envoyDeployment.pod.{_SPREAD}", None)
    if resource.type == RELEASE:
        return _release(resource)
    labels = pod_labels(resource)
    hidden = unreadable(resource, "spec.template.metadata.labels", REQUIRED)
    if labels.get("app.kubernetes.io/name") == serving.APP:
        return not_applicable(_REPLICA)
    hidden = hidden or unreadable(resource, "metadata.namespace", REQUIRED)
    if hidden:
        return hidden
    if read(resource, "metadata.namespace") == serving.NAMESPACE:
        return not_applicable(_REPLICA)
    return _hard(resource, _POD, labels)


def _release(release: Resource) -> Judgement:
    hidden = unreadable(release, "chart", REQUIRED)
    if hidden:
        return hidden
    chart = str(read(release, "chart"))
    if "/flagger@" in chart:  # its chart has no other field
        return _required(release)
    paths = next((paths for name, paths in _OF_CHARTS.items() if name in chart), None)
    if paths is None:
        return failed("chart", shown(read(release, "chart")), f"one of {', '.join((*_OF_CHARTS, '/flagger@'))}")
    return all_of(_hard(release, path, None) for path in paths)


def _hard(resource: Resource, path: str, labels: Mapping[str, object] | None) -> Judgement:
    """Whether some constraint of a list is hard.

    Args:
        labels: the pods' own; None where others give them.
    """
    found = (all_of(_kept(resource, each, labels)) for each in items(resource, path))
    return unreadable(resource, path, REQUIRED) or any_of(found, failed("", _together(path), REQUIRED))


def _kept(resource: Resource, path: str, labels: Mapping[str, object] | None) -> Iterator[Judgement]:
    yield equals(resource, f"{path}.topologyKey", HOSTNAME)
    yield equals(resource, f"{path}.whenUnsatisfiable", "DoNotSchedule")
    yield expect(resource, f"{path}.maxSkew", "1", lambda value: value == 1)
    yield at_least(resource, f"{path}.minDomains", MACHINES_APART, "machines")
    yield equals(resource, f"{path}.nodeTaintsPolicy", "Honor")
    yield from _selecting(resource, path, labels)


def _required(release: Resource) -> Judgement:
    found = (
        all_of((equals(release, f"{each}.topologyKey", HOSTNAME), *_selecting(release, each, None)))
        for each in items(release, _ANTI)
    )
    return unreadable(release, _ANTI, REQUIRED) or any_of(found, failed("", _together(_ANTI), REQUIRED))


def _selecting(resource: Resource, path: str, labels: Mapping[str, object] | None) -> Iterator[Judgement]:
    """What counts as another replica: the same labels, of the same template."""
    yield expect(resource, f"{path}.matchLabelKeys", "each template", lambda value: EACH_TEMPLATE[0] in value)
    own = f"{path}.labelSelector.matchLabels"
    yield expect(resource, own, "the pods' own labels", lambda value: bool(value) and _among(value, labels))
    asked = read(resource, own)
    for key, value in asked.items() if isinstance(asked, Mapping) else ():
        if is_hidden(value):
            yield unknown(f"{own}.{key}", "the pods' own labels")
        elif value == "":
            yield failed(f"{own}.{key}", shown(value), "the pods' own labels")


def _among(asked: Mapping[str, Any], labels: Mapping[str, object] | None) -> bool:
    return labels is None or all(labels.get(key) == value for key, value in asked.items())


def _together(path: str) -> str:
    return f"{path} lets two stand on one machine"
