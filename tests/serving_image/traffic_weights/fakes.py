"""A route on an API server, and a Prometheus, as the controller sees them; both remember what was asked."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from serving_image.traffic_weights.deciding import Bounds
from serving_image.traffic_weights.routes import RECORD, RouteError
from serving_image.traffic_weights.settings import Settings

NOW = 1_800_000_000.0
SETTINGS = Settings(
    service="tumour-risk",
    namespace="serving",
    kinds=("httproutes", "grpcroutes"),
    arms={"stable": "tumour-risk", "b": "tumour-risk-b"},
    bounds=Bounds(5, 90, 20),
    interval=60,
    window=300,
    half_life=300,
    stale_after=60,
    minimum_trials=100,
    successes="good_total",
    trials="asked_total",
    label="variant",
    prometheus="http://127.0.0.1:1",
)


class FakeApi:
    """Holds routes by path, and applies JSON patches as the API server does: all operations or none."""

    def __init__(self, *weights: int, rules: int = 1) -> None:
        self.patches: list[str] = []
        self.routes: dict[str, Any] = {}
        for kind in SETTINGS.kinds:
            refs = [
                {"name": name, "weight": weight} for name, weight in zip(SETTINGS.arms.values(), weights, strict=True)
            ]
            other = {"backendRefs": [{"name": "elsewhere", "weight": 1}]}
            self.routes[f"/apis/gateway.networking.k8s.io/v1/namespaces/serving/{kind}/tumour-risk"] = {
                "metadata": {"resourceVersion": "1"},
                "spec": {"rules": [other, *(copy.deepcopy({"backendRefs": refs}) for _ in range(rules))]},
            }

    def get(self, path: str) -> Any:
        if path not in self.routes:
            raise RouteError(f"GET {path}: 404")
        return copy.deepcopy(self.routes[path])

    def patch(self, path: str, operations: list[dict[str, Any]]) -> Any:
        self.patches.append(path)
        changed = self.get(path)
        for operation in operations:
            *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
            target: Any = changed
            for part in parents:
                target = target[int(part)] if isinstance(target, list) else target[part]
            if operation["op"] == "test":
                if target[last] != operation["value"]:
                    raise RouteError(f"PATCH {path}: 422")
            else:
                target[last] = operation["value"]
        changed["metadata"]["resourceVersion"] = str(int(changed["metadata"]["resourceVersion"]) + 1)
        self.routes[path] = changed

    def weights(self, kind: str = "httproutes", rule: int = 1) -> list[int]:
        route = self.routes[f"/apis/gateway.networking.k8s.io/v1/namespaces/serving/{kind}/tumour-risk"]
        return [ref["weight"] for ref in route["spec"]["rules"][rule]["backendRefs"]]

    def record(self, kind: str = "httproutes") -> list[Any]:
        route = self.routes[f"/apis/gateway.networking.k8s.io/v1/namespaces/serving/{kind}/tumour-risk"]
        return json.loads(route["metadata"]["annotations"][RECORD])


class FakePrometheus:
    """Answers with a constant rate for each arm; `seen` is when its counters were last scraped."""

    def __init__(self, rates: Mapping[str, float], *, trials: float = 1000.0, age: float = 3.0) -> None:
        self.rates = dict(rates)
        self.trials = trials
        self.age = age
        self.queries: list[str] = []

    def at(self, query: str, moment: float) -> Sequence[Mapping[str, Any]]:
        self.queries.append(query)
        return [{"metric": {"variant": arm}, "value": [moment, str(moment - self.age)]} for arm in self.rates]

    def between(self, query: str, start: float, end: float, step: int) -> Sequence[Mapping[str, Any]]:
        self.queries.append(query)
        moments = [start + step * i for i in range(round((end - start) / step) + 1)]
        return [
            {
                "metric": {"variant": arm},
                "values": [[at, str(self.trials * (rate if "good" in query else 1.0))] for at in moments],
            }
            for arm, rate in self.rates.items()
        ]
