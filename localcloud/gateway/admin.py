"""What Envoy's own administration interface tells: its counters, its gauges and the configuration that it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import requests

_TIMEOUT_S: Final = 10.0


class Admin:
    """Asks one Envoy.

    Args:
        url: of its administration interface.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **parameters: str) -> requests.Response:
        """One answer; raises requests.RequestException."""
        with requests.Session() as session:
            session.trust_env = False  # a proxy has no business on loopback
            answer = session.get(f"{self.url}{path}", params=parameters, timeout=_TIMEOUT_S)
            answer.raise_for_status()
            return answer

    def stats(self, pattern: str = "") -> Mapping[str, int]:
        """Counters and gauges whose name matches the regular expression, by name."""
        found = self.get("/stats", format="json", filter=pattern).json()["stats"]
        return {each["name"]: each["value"] for each in found if isinstance(each.get("value"), int)}

    def total(self, pattern: str) -> int:
        """The sum of those counters."""
        return sum(self.stats(pattern).values())

    def prometheus(self) -> str:
        """Counters, gauges and histograms as Prometheus scrapes them."""
        return self.get("/stats/prometheus").text

    def config(self) -> list[dict[str, Any]]:
        """The sections of the configuration that Envoy runs, endpoints included."""
        return self.get("/config_dump", include_eds="").json()["configs"]

    def post(self, path: str) -> None:
        """Have Envoy do something, as `/healthcheck/fail` or `/reset_counters`."""
        with requests.Session() as session:
            session.trust_env = False
            session.post(f"{self.url}{path}", timeout=_TIMEOUT_S).raise_for_status()


class RunsEnvoy:
    """A door in front of one Envoy, whose administration interface is known once it runs."""

    _admin: Admin | None = None

    @property
    def admin(self) -> Admin:
        """Envoy's administration interface."""
        if self._admin is None:
            raise AssertionError("the door is not open")
        return self._admin


def rejected(config: list[dict[str, Any]]) -> Iterator[str]:
    """Why Envoy refused parts of a configuration that it was sent."""
    for section in config:
        for kind, parts in section.items():
            for part in parts if isinstance(parts, list) else ():
                if isinstance(part, dict) and part.get("error_state"):
                    yield f"{kind}: {part['error_state'].get('details', part['error_state'])}"


def runs(config: list[dict[str, Any]], marker: str) -> bool:
    """Whether listeners, routes, clusters and endpoints of the generation that bears `marker` are active.

    A listener that still warms up, or a cluster, is not.
    """
    needed = {
        "ListenersConfigDump": "dynamic_listeners",
        "RoutesConfigDump": "dynamic_route_configs",
        "ClustersConfigDump": "dynamic_active_clusters",
        "EndpointsConfigDump": "dynamic_endpoint_configs",
    }
    exact = re.compile(rf"{re.escape(marker)}(?!\d)")
    for section in config:
        name = str(section.get("@type", "")).rsplit(".", 1)[-1]
        if name == "ClustersConfigDump" and section.get("dynamic_warming_clusters"):
            return False
        key = needed.pop(name, None)
        if key is None:
            continue
        parts: list[dict[str, Any]] = section.get(key, [])
        if name == "ListenersConfigDump":
            if any("warming_state" in part for part in parts):
                return False
            parts = [part.get("active_state", {}) for part in parts]
        if not exact.search(str(parts)):
            return False
    return not needed
