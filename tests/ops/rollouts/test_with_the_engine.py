"""The engine and Flagger change one cluster, and neither takes back what the other did."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from common.console import Steps
from components.contracts import serving
from components.kubernetes.rollouts.objects import FLAGGER_API
from localcloud.cluster import ControlPlane, control_plane, ensure_flagger, furnish, node_groups
from ops.local.session import LocalCloud, open_local
from ops.models.promoting import release_in
from ops.models.standing import look_at
from ops.rollouts.flaggers import Flaggers
from policies.inventory import Inventory
from stacks.settings import CONFIG_KEY, Settings, stack_file

pytestmark = [pytest.mark.engine, pytest.mark.cluster]

SERVICE: Final = "tumour-risk"
DIGEST: Final = f"sha256:{'a' * 64}"
FIRST, GOOD, BAD = "1.0.1", "1.0.2", "1.0.3"
PATIENCE_SECONDS: Final = 120.0
LOOK_SECONDS: Final = 0.6
"""More than Flagger takes to notice a new interval."""


class Figures(BaseHTTPRequestHandler):
    """Stands for Prometheus: many requests, none failed, none slow, unless the server says otherwise."""

    def do_GET(self) -> None:
        self.answer("")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def answer(self, body: str) -> None:
        asked = self.path + body
        value = "1" if "vector%281%29" in asked or "vector(1)" in asked else "0"
        if "backend%2F1" in asked or "backend/1" in asked:
            is_volume = "query=sum%28increase" in asked or "query=sum(increase" in asked
            value = "1000" if is_volume else str(getattr(self.server, "failures", 0))
        found = {"resultType": "vector", "result": [{"metric": {}, "value": [1, value]}]}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"status": "success", "data": found}).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def figures() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Figures)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@dataclass
class World:
    """A stack whose one service is a canary, and its Flagger."""

    plane: ControlPlane
    local: LocalCloud
    committed: dict[str, Any]

    def pin(self, version: str) -> None:
        """Have the settings pin another release."""
        self.committed["fleet"]["services"][SERVICE]["release"]["version"] = version
        with self.local.workspace.config_file.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump({"config": {CONFIG_KEY: self.committed}}, file)

    def canary(self) -> dict[str, Any]:
        """It, as the API server has it."""
        return self.plane.client.get(FLAGGER_API, "Canary", SERVICE, serving.NAMESPACE) or {}

    def until(self, phase: str, *, weight: int = 0) -> None:
        """Have Flagger look again and again: each new interval is a look, and the last one is the stack's."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        asked = self.canary()["spec"]["analysis"]["interval"]
        while True:
            told = self.canary().get("status") or {}
            if told.get("phase") == phase and told.get("canaryWeight", 0) >= weight:
                return
            assert time.monotonic() < deadline, told
            for interval in ("11s", asked):
                change = {"spec": {"analysis": {"interval": interval}}}
                self.plane.client.patch(FLAGGER_API, "Canary", SERVICE, change, serving.NAMESPACE)
                time.sleep(LOOK_SECONDS)

    def held(self) -> str | None:
        """The release that answers."""
        found = self.plane.client.get("apps/v1", "Deployment", f"{SERVICE}-primary", serving.NAMESPACE)
        return release_in(found) if found else None

    def assert_nothing_to_do(self) -> None:
        """The engine finds its own as it left it."""
        self.local.preview(expect_no_changes=True)
        assert not self.local.refresh().changes


@pytest.mark.parametrize("stack", ["dev-aws", "dev-gcp"])
def test_a_canary_is_stepped_promoted_and_taken_back_and_the_engine_never_minds(
    stack: str, tmp_path: Path, plans: dict[str, Inventory], steps: Steps, figures: ThreadingHTTPServer
) -> None:
    settings = Settings.load(stack_file(stack))
    place = settings.place
    groups = node_groups(settings.cloud, place.region, place.zones, settings.pools, plans[stack].resources)
    program = ensure_flagger(steps)
    with control_plane(settings.cluster.version, groups) as plane:
        furnish(plane, settings.cloud)
        for group in groups:
            # The held release, the new one, and the one that takes over.
            plane.nodes.resize(group.name, max(3, group.min_nodes))
        with open_local(stack, steps, home=tmp_path / "local", keep=False, kubeconfig=plane.kubeconfig) as local:
            told = YAML(typ="safe").load(local.workspace.config_file.read_text(encoding="utf-8"))
            world = World(plane, local, told["config"][CONFIG_KEY])
            fleet = world.committed["fleet"]
            fleet["images"] |= {"flagger": DIGEST, "flagger_chart": DIGEST}
            service = fleet["services"][SERVICE]
            service.pop("hours", None)
            service["traffic"] = {"strategy": "canary", "step_percents": [5, 10, 20, 30, 40, 50]}
            service["max_replicas"] = 1
            world.pin(FIRST)
            local.up()
            (release,) = (r for r in local.resources() if r.type.endswith(":Release") and r.name == "flagger")
            url = f"http://127.0.0.1:{figures.server_address[1]}"
            with Flaggers(plane, program, release.inputs["values"], url, tmp_path).running():
                world.until("Initialized")
                assert world.held() == FIRST
                world.assert_nothing_to_do()

                world.pin(GOOD)
                local.up()
                world.until("Progressing", weight=5)
                local.preview(expect_no_changes=True)
                world.until("Succeeded")
                assert world.held() == GOOD
                world.assert_nothing_to_do()

                figures.failures = 50  # type: ignore[attr-defined]
                world.pin(BAD)
                local.up()
                world.until("Failed")
                assert world.held() == GOOD
                world.assert_nothing_to_do()
            seen = look_at(plane.kubeconfig)
    assert seen["deployments"] == {SERVICE: BAD, f"{SERVICE}-primary": GOOD}
    assert seen["canaries"][SERVICE]["phase"] == "Failed"
