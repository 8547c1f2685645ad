"""The door of a committed stack as its plan records it: a request passes the real Envoy to a backend."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from components.contracts.door import CERTIFICATE_SECRET
from localcloud.gateway import open_gateway
from localcloud.gateway.client import session_to
from localcloud.gateway.door import Door
from policies.inventory import Inventory
from tests.localcloud.gateway.conftest import Backend
from tests.localcloud.gateway.plane import Authority, Issuer

pytestmark = [pytest.mark.gateway, pytest.mark.xdist_group("gateway")]

STACK, SERVICE = "dev-aws", "tumour-risk"
GROUPS = ("gateway.networking.k8s.io", "gateway.envoyproxy.io")


def planned(inventory: Inventory, keys: str) -> list[dict[str, Any]]:
    """The plan's objects of the door and of its routes, with keys of clients that these tests can be."""
    inputs = (resource.inputs for resource in inventory.resources)
    found = [copy.deepcopy(dict(each)) for each in inputs if each.get("apiVersion", "").split("/")[0] in GROUPS]
    for policy in (each for each in found if each["kind"] == "SecurityPolicy"):
        for provider in policy["spec"]["jwt"]["providers"]:
            provider["localJWKS"] = {"type": "Inline", "inline": keys}
    return found


@pytest.fixture(scope="module")
def clients(plans: dict[str, Inventory]) -> Issuer:
    return Issuer(plans[STACK].settings["fleet"]["door"]["authentication"]["issuer"])


@pytest.fixture(scope="module")
def door(plans: dict[str, Inventory], clients: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    served = Backend(SERVICE)
    threading.Thread(target=served.serve_forever, args=(0.05,), daemon=True).start()
    folder: Path = tmp_path_factory.mktemp("door")
    domain = plans[STACK].settings["fleet"]["door"]["domain"]
    secret = Authority(folder, "door-ca").secret(CERTIFICATE_SECRET, f"*.{domain}")
    objects = [*planned(plans[STACK], clients.keys), secret]
    try:
        with open_gateway(objects, {("serving", SERVICE): [served.pod]}, log=folder / "log") as opened:
            yield opened
    finally:
        served.shutdown()
        served.server_close()


def ask(door: Door, plan: Inventory, clients: Issuer, service: str, path: str) -> requests.Response:
    """One request by a client whom the plan's settings let in."""
    told = plan.settings["fleet"]["door"]
    bearer = clients.token("a client", audience=told["authentication"]["audiences"][0])
    with session_to(f"{service}.{told['domain']}") as session:
        session.verify = False
        return session.get(f"{door.http_url}{path}", headers={"Authorization": f"Bearer {bearer}"}, timeout=10)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_request_passes_the_door_that_the_plan_records(
    door: Door, plans: dict[str, Inventory], clients: Issuer
) -> None:
    plan = plans[STACK]
    answered = ask(door, plan, clients, SERVICE, "/v2/models/tumour_risk/ready")
    assert (answered.status_code, answered.json()["name"]) == (200, SERVICE)
    assert answered.headers["x-seawall-variant"] == "stable"
    assert ask(door, plan, clients, SERVICE, "/v2/repository/index").status_code == 404
    assert ask(door, plan, clients, "nobody", "/v2/models/tumour_risk/ready").status_code == 404
