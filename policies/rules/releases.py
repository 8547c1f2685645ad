"""Charts are installed as they were reviewed: which options of Helm and which values rules know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import all_of, failed, is_hidden, read, shown, unknown
from policies.examples import Change, Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.reach.values import truth
from policies.shapes import Field, Shape, between, exactly, known_fields
from policies.tokens import RELEASE

family = Family("How charts are installed")

_OPTIONS: Final[Shape] = {
    "atomic": exactly(True),
    "cleanupOnFail": exactly(True),
    "chart": None,
    "version": (
        "one version",
        lambda version: str(version)[:1] in "v0123456789" and not set(str(version)) & set("*x<>~^| "),
    ),
    "compat": None,
    "createNamespace": exactly(False),
    "description": None,
    "maxHistory": between(1, 100),
    "name": None,
    "namespace": None,
    "resourceNames.**": None,
    "timeout": between(60, 3600),
    "values": None,
    "skipAwait": exactly(False),
    "disableWebhooks": exactly(False),
    "disableOpenapiValidation": exactly(False),
    "forceUpdate": exactly(False),
    "recreatePods": exactly(False),
    "replace": exactly(False),
    "reuseValues": exactly(False),
    "dependencyUpdate": exactly(False),
    "devel": exactly(False),
    "skipCrds": exactly(False),
    "waitForJobs": None,
}
_REPLICATED: Final = (
    "image.repository",
    "image.digest",
    "podDisruptionBudget.maxUnavailable",
    "podDisruptionBudget.minAvailable",
    "podDisruptionBudget.unhealthyPodEvictionPolicy",
    "replicaCount",
    "resources.**",
    "topologySpreadConstraints.**",
    "affinity.podAntiAffinity.**",
    "service.type",
)


def _of_cert_manager() -> dict[str, Field | None]:
    shape: dict[str, Field | None] = {
        f"{part}{path}": None for part in ("", "webhook.", "cainjector.") for path in _REPLICATED
    }
    for part in ("", "webhook.", "cainjector."):
        shape[f"{part}podDisruptionBudget.enabled"] = exactly(True)
    return shape | {
        "crds.enabled": exactly(True),
        "crds.keep": exactly(True),
        "global.priorityClassName": exactly("door"),
        "global.leaderElection.namespace": exactly("cert-manager"),
        "startupapicheck.enabled": exactly(False),
        "config.apiVersion": None,
        "config.kind": None,
        "config.controllers": (
            "without the solvers of ACME",
            lambda found: {"-orders", "-challenges"} <= set(found),
        ),
    }


_ENVOY: Final = "config.envoyGateway"
_OF_ENVOY_GATEWAY: Final[Shape] = {
    "global.images.*.image": None,
    "image.*": None,
    "webhook.image.*": None,
    "crds.enabled": exactly(True),
    "crds.gatewayAPI.safeUpgradePolicy.enabled": exactly(False),
    "deployment.replicas": None,
    "deployment.priorityClassName": exactly("door"),
    "deployment.pod.topologySpreadConstraints.**": None,
    "deployment.pod.affinity.podAntiAffinity.**": None,
    "podDisruptionBudget.**": None,
    "topologyInjector.enabled": exactly(False),
    f"{_ENVOY}.gateway.controllerName": exactly("gateway.envoyproxy.io/gatewayclass-controller"),
    f"{_ENVOY}.provider.type": exactly("Kubernetes"),
    f"{_ENVOY}.provider.kubernetes.watch.type": exactly("Namespaces"),
    f"{_ENVOY}.provider.kubernetes.watch.namespaces.*": exactly("serving"),
    f"{_ENVOY}.extensionApis.enableBackend": None,
    f"{_ENVOY}.extensionApis.enableEnvoyPatchPolicy": None,
}
_OPENED: Final = ("privileged", "allowprivilegeescalation", "hostpid", "hostipc", "hostprocess")
_KEPT: Final = ("runasnonroot", "readonlyrootfilesystem")
_NEVER: Final = (
    "hostpath",
    "extraobjects",
    "extradeploy",
    "extramanifests",
    "extracontainers",
    "extrainitcontainers",
    "sidecars",
    "extraargs",
    "extraenv",
    "extravolumes",
    "postrenderer",
    "approvesignernames",
)
_READ: Final = (
    *(*_OPENED, *_KEPT, *_NEVER, "securitycontext", "runasuser", "add", "type", "tolerations", "priorityclassname"),
)
_PLAIN: Final = "what restricted pods may be"
_BOTH: Final = "values.securityContext"


def _path(path: str, value: Any) -> tuple[str, Change]:
    return f"{path} is {shown(value)}", put(path, value)


@family.rule(
    "k8s-releases-as-known",
    Severity.HIGH,
    "Charts are installed whole, awaited and taken back when they fail, with values that rules know",
    types=(RELEASE,),
    rationale="What a chart makes is in no plan: an option of Helm or a value of the chart may make its pods root's, "
    "add objects of its own, leave the definitions out or run a program over what was reviewed.",
    remedy="Keep components.kubernetes.gateway.controllers; for a new value, write down what it may hold.",
    examples=lambda: examples(
        given(RELEASE, {"atomic": True, "cleanupOnFail": True, "version": "v1.21.2", "timeout": 900}, "installed"),
        broken=dict(
            (
                _path("atomic", False),
                _path("skipAwait", True),
                _path("version", ">=1.0.0"),
                _path("timeout", 1),
                _path("postrender", "/tmp/x"),  # noqa: S108 - a program's path in an example
                _path("valueYamlFiles", ["x.yaml"]),
                _path(f"{_BOTH}.runAsUser", 0),
                _path(f"{_BOTH}.privileged", True),
                _path(f"{_BOTH}.runAsNonRoot", False),
                _path(f"{_BOTH}.capabilities.add", ["SYS_ADMIN"]),
                _path(f"{_BOTH}.seccompProfile.type", "Unconfined"),
                _path("values.extraObjects", ["a"]),
                _path("values.volumes.0.hostPath", {"path": "/"}),
                _path("values.priorityClassName", "system-node-critical"),
                _path("values.tolerations", [{"operator": "Exists"}]),
            )
        )
        | {"atomic is absent": drop("atomic"), "cleanupOnFail is absent": drop("cleanupOnFail")},
        undecided={
            "values is known only to the provider": put("values", Hidden()),
            f"{_BOTH}.privileged is known only to the provider": put(f"{_BOTH}.privileged", Hidden()),
        },
        accepted={"": (put(f"{_BOTH}.runAsUser", 1000), put("skipAwait", False))},
    ),
)
def releases_as_known(release: Resource, _: Inventory) -> Judgement:
    judged = [known_fields(release, _OPTIONS, "")]
    # A chart in an example of another rule may be named alone; one that is installed always says how.
    installed = any(
        read(release, path) not in ("", None) and path in release.inputs for path in ("version", "timeout")
    )
    if installed:
        judged += [
            failed(path, "absent", "true") for path in ("atomic", "cleanupOnFail") if path not in release.inputs
        ]
    values, chart = read(release, "values"), str(read(release, "chart"))
    if is_hidden(values):
        return all_of((*judged, unknown("values", "values that the plan knows")))
    if isinstance(values, Mapping):
        judged += _weakened(values, "values")
        shape = (
            _of_cert_manager()
            if "/cert-manager@" in chart
            else _OF_ENVOY_GATEWAY
            if "/gateway-helm@" in chart
            else None
        )
        if shape is not None:
            judged.append(known_fields(release, shape, "values"))
    return all_of(judged)


def _weakened(node: Any, path: str) -> Iterator[Judgement]:
    """Values that make pods more than restricted ones, or add what is in no plan, by the names that charts use."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from _weakened(each, f"{path}.{index}")
    for key, value in node.items() if isinstance(node, Mapping) else ():
        at, name = f"{path}.{key}", str(key).lower()
        if value in (None, "", [], {}):
            continue
        if is_hidden(value) and name in _READ:
            yield unknown(at, _PLAIN)
        elif _harms(name, value):
            yield failed(at, shown(value), _PLAIN)
        else:
            yield from _weakened(value, at)


def _harms(name: str, value: Any) -> bool:
    if name in _OPENED:
        return truth(value, default=False) is not False
    if name in _KEPT:
        return truth(value, default=True) is False
    if name in ("runasuser", "runasgroup", "fsgroup"):
        return str(value) == "0"
    if name == "type":
        return value == "Unconfined"
    if name == "add":
        return value not in ("NET_BIND_SERVICE", ["NET_BIND_SERVICE"])
    if name.endswith("priorityclassname"):
        return str(value).startswith("system-")
    if name == "tolerations":
        return isinstance(value, list) and any(isinstance(each, Mapping) and not each.get("key") for each in value)
    return name in _NEVER
