"""The real Prometheus over the real Envoy and the real Tritons of one machine."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests

from components.contracts import serving
from localcloud.cluster import ServerProcess, ensure_prometheus, free_ports

_TARGETS: Final = "targets.json"
_FIGURES: Final = r"^cluster\.httproute.*\.upstream_rq_([1-5]xx|time)$"


class Prometheus:
    """A running one.

    Args:
        url: where it answers.
        folder: its files.
        process: to end it before its block does.
    """

    def __init__(self, url: str, folder: Path, process: ServerProcess) -> None:
        self.url = url
        self._folder = folder
        self._process = process
        self._told = ""
        self._targets: frozenset[str] = frozenset()

    def watch(self, envoy: str, pods: Mapping[str, str]) -> None:
        """Scrape these from now on.

        Args:
            envoy: the URL of its administration interface.
            pods: name of a pod → the URL of its metrics.
        """
        # Of Envoy's thousands of figures only those that a release is judged by.
        path = {"__metrics_path__": "/stats/prometheus", "__param_filter": _FIGURES}
        told = [{"targets": [urlsplit(envoy).netloc], "labels": path}]
        told += [
            {"targets": [urlsplit(url).netloc], "labels": {"namespace": serving.NAMESPACE, "pod": name}}
            for name, url in sorted(pods.items())
        ]
        text = json.dumps(told)
        if text != self._told:
            self._told, self._targets = text, frozenset(target for each in told for target in each["targets"])
            unfinished = self._folder / "unfinished.json"
            unfinished.write_text(text)
            unfinished.rename(self._folder / _TARGETS)

    def scrapes(self, seconds: float) -> int | None:
        """How often each target was scraped within the last seconds, at least; nothing if it does not answer."""
        query = {"query": f"sum_over_time(up[{seconds:g}s])"}
        with requests.Session() as session:
            session.trust_env = False
            try:
                told = session.get(f"{self.url}/api/v1/query", params=query, timeout=2).json()
            except requests.RequestException:
                return None
        found = {each["metric"]["instance"]: int(float(each["value"][1])) for each in told["data"]["result"]}
        return min((found.get(target, 0) for target in self._targets), default=0)

    def stop(self) -> None:
        """End it now."""
        self._process.stop()


@contextlib.contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """Run Prometheus, with its files in `folder`.

    Raises:
        UserError: it cannot be had or does not start.
    """
    folder.mkdir()
    program = ensure_prometheus().server
    (port,) = free_ports(1)
    (folder / _TARGETS).write_text("[]")
    config = {
        "global": {"scrape_interval": "700ms", "scrape_timeout": "700ms"},
        "scrape_configs": [
            {
                "job_name": "rollout",
                "file_sd_configs": [{"files": [str(folder / _TARGETS)], "refresh_interval": "1s"}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    url = f"http://127.0.0.1:{port}"
    process = ServerProcess(
        "Prometheus",
        [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        folder / "prometheus.log",
        remedy="Read its log, and run the command again.",
        ready=lambda: _answers(f"{url}/-/ready"),
    )
    process.start()
    try:
        yield Prometheus(url, folder, process)
    finally:
        process.stop()


def _answers(url: str) -> bool:
    with requests.Session() as session, contextlib.suppress(requests.RequestException):
        session.trust_env = False
        return session.get(url, timeout=2).ok
    return False
