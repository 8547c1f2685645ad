"""What a role of Kubernetes' RBAC lets its holder do, and which of it is a way to more.

Sources: kubernetes.io, "Using RBAC Authorization" and "Role Based Access Control Good Practices" (privilege
escalation risks), and "Kubernetes API Server Bypass Risks", read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.checks import is_hidden

READS: Final = ("get", "list", "watch")
WRITES: Final = ("create", "update", "patch")
ENDS: Final = ("delete", "deletecollection")
_CHANGES: Final = (*WRITES, *ENDS)
_WORKLOADS: Final = (
    "pods",
    "deployments",
    "daemonsets",
    "statefulsets",
    "replicasets",
    "replicationcontrollers",
    "jobs",
    "cronjobs",
    "podtemplates",
)


@dataclass(frozen=True)
class Right:
    """One verb on one resource of one group; `*` is all of them."""

    path: str
    group: str
    resource: str
    verb: str
    names: tuple[str, ...] = ()
    """The objects by name; none: all of them."""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}"


@dataclass(frozen=True)
class Danger:
    """Rights from which their holder gets to more."""

    what: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]

    def holds(self, right: Right) -> bool:
        """Whether a right is one of these; a wildcard holds all of them."""
        return any(_covers(right.resource, each) for each in self.resources) and any(
            right.verb in (each, "*") for each in self.verbs
        )


DANGERS: Final[tuple[Danger, ...]] = (
    Danger("reads secrets, or makes a token's", ("secrets",), (*READS, *_CHANGES)),
    Danger("makes pods, which may take any service account of the namespace", _WORKLOADS, WRITES),
    Danger("ends pods", _WORKLOADS, ENDS),
    Danger(
        "acts inside of pods",
        ("pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "pods/ephemeralcontainers", "pods/resize"),
        (*READS, *_CHANGES),
    ),
    Danger("reaches what is behind a service without its own checks", ("services/proxy",), (*READS, *_CHANGES)),
    Danger("reaches each container of a machine", ("nodes/proxy", "nodes/exec"), (*READS, *_CHANGES)),
    Danger("changes machines", ("nodes", "nodes/status"), _CHANGES),
    Danger(
        "ends or changes pods behind their controllers", ("pods/eviction", "pods/status", "pods/binding"), _CHANGES
    ),
    Danger("binds pods to machines", ("bindings",), WRITES),
    Danger("makes tokens of service accounts", ("serviceaccounts/token",), ("create",)),
    Danger("makes service accounts", ("serviceaccounts",), _CHANGES),
    Danger("acts as others", ("users", "groups", "serviceaccounts", "uids", "userextras"), ("impersonate",)),
    Danger(
        "gives rights",
        ("roles", "clusterroles", "rolebindings", "clusterrolebindings"),
        (*_CHANGES, "escalate", "bind"),
    ),
    Danger(
        "approves or signs certificates",
        ("certificatesigningrequests", "certificatesigningrequests/approval", "certificatesigningrequests/status"),
        _CHANGES,
    ),
    Danger("approves or signs certificates", ("signers",), ("approve", "sign", "attest")),
    Danger(
        "decides what the cluster admits",
        (
            "mutatingwebhookconfigurations",
            "validatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
        ),
        _CHANGES,
    ),
    Danger("makes volumes of the machine", ("persistentvolumes", "storageclasses", "volumeattachments"), _CHANGES),
    Danger("takes volumes away", ("persistentvolumeclaims",), ENDS),
    Danger("changes the API itself", ("customresourcedefinitions", "apiservices", "conversions"), _CHANGES),
    Danger("takes labels off namespaces, and with them what they enforce", ("namespaces",), _CHANGES),
    Danger("takes bounds away", ("resourcequotas", "limitranges", "poddisruptionbudgets"), _CHANGES),
    Danger("decides who goes first", ("priorityclasses", "flowschemas", "prioritylevelconfigurations"), _CHANGES),
    Danger("opens networks", ("networkpolicies", "adminnetworkpolicies"), _CHANGES),
    Danger(
        "sends requests elsewhere",
        ("services", "endpoints", "endpointslices", "ingresses", "gateways", "httproutes", "grpcroutes"),
        _CHANGES,
    ),
    Danger("changes what programs are told", ("configmaps",), _CHANGES),
    Danger("scales what others run", ("*/scale", "horizontalpodautoscalers"), _CHANGES),
    Danger(
        "reads what machines and pods say of themselves",
        ("nodes/log", "nodes/metrics", "nodes/stats", "nodes/configz", "nodes/pods", "pods/log"),
        (*READS, *_CHANGES),
    ),
    Danger(
        "changes what the door asks for and where it leads",
        (
            "securitypolicies",
            "clienttrafficpolicies",
            "backendtrafficpolicies",
            "envoyproxies",
            "envoypatchpolicies",
            "envoyextensionpolicies",
            "backends",
            "backendtlspolicies",
            "httproutefilters",
            "gatewayclasses",
            "listenersets",
            "referencegrants",
            "tcproutes",
            "tlsroutes",
            "udproutes",
            "ingressclasses",
        ),
        _CHANGES,
    ),
    Danger(
        "opens networks",
        (
            "baselineadminnetworkpolicies",
            "clusternetworkpolicies",
            "ciliumnetworkpolicies",
            "ciliumclusterwidenetworkpolicies",
            "globalnetworkpolicies",
            "ippools",
            "servicecidrs",
        ),
        _CHANGES,
    ),
    Danger(
        "decides which machines there are and how pods run on them",
        (
            "runtimeclasses",
            "csidrivers",
            "csinodes",
            "deviceclasses",
            "resourceclaims",
            "resourceslices",
            "volumesnapshots",
            "nodepools",
            "nodeclaims",
            "ec2nodeclasses",
            "computeclasses",
        ),
        _CHANGES,
    ),
    Danger(
        "takes rights or secrets of the cloud",
        (
            "iampolicies",
            "iampolicymembers",
            "iamserviceaccounts",
            "secretproviderclasses",
            "secretstores",
            "clustersecretstores",
            "externalsecrets",
        ),
        _CHANGES,
    ),
    Danger("approves or signs certificates", ("clustertrustbundles", "podcertificaterequests"), _CHANGES),
    Danger(
        "changes what controllers go by",
        (
            "controllerrevisions",
            "scaledobjects",
            "scaledjobs",
            "deployments/status",
            "statefulsets/status",
            "horizontalpodautoscalers/status",
            "poddisruptionbudgets/status",
            "namespaces/finalize",
            "namespaces/status",
        ),
        _CHANGES,
    ),
    Danger(
        "stops alarms",
        ("prometheusrules", "servicemonitors", "podmonitors", "alertmanagerconfigs", "prometheuses"),
        _CHANGES,
    ),
    Danger("takes traces away", ("events",), ENDS),
    Danger("makes certificates", ("certificates", "issuers", "clusterissuers", "certificaterequests"), _CHANGES),
)
"""Ways to more rights, to others' data, or to an outage."""

_HARMLESS_URLS: Final = ("/metrics", "/healthz", "/livez", "/readyz", "/version", "/openapi", "/api", "/apis")


def _covers(written: str, resource: str) -> bool:
    """Whether what a rule writes names a resource; `*` names all, `*/scale` that part of all, `pods/*` all parts."""
    if written in ("*", resource) or (resource == "*/scale" and written.endswith("/scale")):
        return True
    whole, _, part = written.partition("/")
    kind, _, below = resource.partition("/")
    if below:
        return (whole == "*" and part == below) or (whole == kind and part == "*")
    # All of what has parts is named by a part of it as well: `userextras/scopes`.
    return kind == "userextras" and whole == kind


def rights_of(rules: object, path: str = "rules") -> Iterator[Right | str]:
    """Each right of a role's rules; the path of what cannot be read in place of it."""
    if rules is None:
        return
    if is_hidden(rules) or not isinstance(rules, list | Mapping):
        yield path
        return
    for index, rule in enumerate([rules] if isinstance(rules, Mapping) else rules):
        here = f"{path}.{index}"
        if not isinstance(rule, Mapping):
            yield here
            continue
        yield from _of_rule(rule, here)


def _of_rule(rule: Mapping[str, Any], path: str) -> Iterator[Right | str]:
    fields = {key: _words(rule.get(key)) for key in ("apiGroups", "resources", "verbs", "resourceNames")}
    urls = _words(rule.get("nonResourceURLs"))
    unread = [f"{path}.{key}" for key, words in fields.items() if words is None]
    if unread or urls is None:
        yield from unread or [f"{path}.nonResourceURLs"]
        return
    # A right without a group is none of the core's; the API server refuses it, so the careful reading is all groups.
    groups = fields["apiGroups"] or ["*"]
    names = tuple(fields["resourceNames"] or ())
    for verb in fields["verbs"] or ():
        for resource in fields["resources"] or ():
            yield from (Right(path, group, resource.lower(), verb.lower(), names) for group in groups)
        yield from (Right(path, "", f"url {url}", verb.lower()) for url in urls)


def _words(value: object) -> list[str] | None:
    """The words of a list, or the only one; None where one cannot be read."""
    if value is None:
        return []
    listed = value if isinstance(value, list) else [value]
    words = [each for each in listed if isinstance(each, str) and not is_hidden(each)]
    return words if len(words) == len(listed) else None


def dangers_of(right: Right) -> Iterator[str]:
    """What a right gives beyond what it seems to."""
    if right.resource.startswith("url "):
        url = right.resource.removeprefix("url ")
        if not any(url == safe or url.startswith(f"{safe}/") for safe in _HARMLESS_URLS):
            yield "reads what the API server says of itself"
        return
    found = list(dict.fromkeys(danger.what for danger in DANGERS if danger.holds(right)))
    wild = [word for word, field in (("verbs", right.verb), ("resources", right.resource)) if field == "*"]
    if wild:
        yield f"holds all {' of all '.join(wild)}"
    elif right.group == "*" and not found:
        yield "holds what it names in all groups"
    else:
        yield from found[:1]


def union(rights: Iterable[Right]) -> tuple[Right, ...]:
    """Each right once, in order."""
    return tuple(dict.fromkeys(rights))
