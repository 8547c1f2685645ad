"""How a service of the settings asks for each traffic strategy, and what is laid for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from components.contracts.vocabulary import Cloud

DIGEST: Final = f"sha256:{'a' * 64}"
FLAGGER: Final = {"flagger": DIGEST, "flagger_chart": f"sha256:{'b' * 64}"}
RELEASE: Final = {"version": "1.0.2", "manifest_sha256": "b" * 64, "signers": [f"SHA256:{'c' * 64}"]}
ROOM: Final = {"pools": {"gpu": {"max_nodes": 20}}}
SERVICE: Final = "tumour-risk"


def challenger(name: str) -> dict[str, Any]:
    return {"challengers": {name: {"release": RELEASE, "max_replicas": 2}}}


ALL_DAY: Final = {"hours": None}
STRATEGIES: Final[Mapping[str, tuple[dict[str, Any], set[str]]]] = {
    "rolling": ({"traffic": {"strategy": "rolling"}}, set()),
    "blue-green": (
        {"traffic": {"strategy": "blue-green", "live": "green"}, **challenger("green")},
        {"Deployment/tumour-risk-green", "Service/tumour-risk-green"},
    ),
    "canary": (
        {"traffic": {"strategy": "canary"}, **ALL_DAY},
        {
            "Canary/tumour-risk",
            "BackendTrafficPolicy/tumour-risk-releases",
            *(f"MetricTemplate/tumour-risk-{name}" for name in ("error-percent", "p99-ms", "requests")),
            "PodDisruptionBudget/tumour-risk-primary",
            "Namespace/flagger-system",
            "ServiceAccount/flagger",
            "NetworkPolicy/deny-all",
            "NetworkPolicy/flagger",
            "PodDisruptionBudget/flagger",
            "PriorityClass/flagger",
            "Role/flagger",
            "RoleBinding/flagger",
        },
    ),
    "shadow": (
        {
            "traffic": {"strategy": "shadow", "challenger": "b", "percent": 40, "compare_percent": 5},
            **challenger("b"),
        },
        {
            "Deployment/tumour-risk-b",
            "Deployment/tumour-risk-recorder",
            "Service/tumour-risk-recorder",
            "NetworkPolicy/tumour-risk-recorder",
            "NetworkPolicy/answer-recorder",
        },
    ),
    "a-b": (
        {
            "traffic": {
                "strategy": "a-b",
                "experiment": "small-net",
                "by": {"kind": "user-header", "name": "x-user-id"},
                "shares": {"b": 30},
                "salt": "0123456789abcdef",
            },
            **challenger("b"),
        },
        {"Deployment/tumour-risk-b", "EnvoyExtensionPolicy/tumour-risk"},
    ),
    "bandit": (
        {
            "traffic": {"strategy": "bandit", "reward": {"successes": "s_total", "trials": "t_total"}},
            **challenger("b"),
        },
        {"Deployment/tumour-risk-b", "Deployment/tumour-risk-weights", "Role/tumour-risk-weights"},
    ),
    "contextual": (
        {
            "traffic": {
                "strategy": "contextual",
                "arms": {"small": "small", "large": "large"},
                "default": "small",
                "features": ["age"],
                "latency_budget_ms": 100,
            }
        },
        set(),
    ),
}
"""Strategy → how a service asks for it, and what is laid for it beside what every service has."""


def plan_of(plan_platform: Any, asked: Mapping[str, Any], cloud: Cloud = Cloud.AWS) -> Any:
    images = {"images": FLAGGER} if asked["traffic"]["strategy"] == "canary" else {}
    return plan_platform(cloud, fleet={**images, "services": {SERVICE: asked}}, **ROOM)
