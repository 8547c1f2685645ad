"""Claims about real programs in the place of pods: they are found as the pods are, and have the pods' tokens."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from localcloud.cluster import ControlPlane, free_ports, is_ready, played

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

SERVER = """
import http.server, json, os, ssl, sys
port, certificate, key = sys.argv[1:]
token = "/var/run/secrets/kubernetes.io/serviceaccount/token"
print("a token" if os.path.exists(token) else "no token", flush=True)
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind = "APIResourceList" if self.path.count("/") > 2 else "APIGroup"
        body = json.dumps({"kind": kind, "apiVersion": "v1", "groupVersion": "played.test/v1", "resources": []})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Api)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def pod(namespace: str, *, mounts_token: bool = True) -> dict[str, Any]:
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "main", "image": "none", "securityContext": security}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "api", "namespace": namespace, "labels": {"app": "api"}},
        "spec": {"containers": [container], "automountServiceAccountToken": mounts_token},
    }


def service(namespace: str, selector: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "api", "namespace": namespace},
        "spec": {"selector": dict(selector), "ports": [{"port": 443, "targetPort": 6443}]},
    }


def api_service(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1.played.test"},
        "spec": {
            "group": "played.test",
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": "api", "namespace": namespace, "port": 443},
        },
    }


def running(plane: ControlPlane, manifest: Mapping[str, Any]) -> dict[str, Any]:
    metadata = manifest["metadata"]
    namespace = metadata["namespace"]
    plane.wait_until(
        "the account is there", 30, lambda: plane.client.get("v1", "ServiceAccount", "default", namespace) is not None
    )
    plane.client.apply(manifest)

    def live() -> dict[str, Any]:
        return plane.client.get("v1", "Pod", metadata["name"], namespace) or {}

    plane.wait_until("the pod is ready", 30, lambda: is_ready(live()))
    return live()


def command(plane: ControlPlane, port: int) -> list[str | Path]:
    keys = plane.folder / "keys"
    return [sys.executable, "-c", SERVER, str(port), keys / "server.crt", keys / "server.key"]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def availability(plane: ControlPlane) -> str:
    found = plane.client.get("apiregistration.k8s.io/v1", "APIService", "v1.played.test") or {}
    conditions = (found.get("status") or {}).get("conditions") or []
    return "; ".join(f"{c['status']} {c['reason']}" for c in conditions if c["type"] == "Available")


def test_an_api_that_a_pod_serves_is_found_by_its_services_selector(
    plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    found, (port,), log = running(plane, pod(namespace)), free_ports(1), tmp_path / "api.log"
    plane.client.apply(service(namespace, {"app": "nobody"}))
    with played(plane, found, command(plane, port), log, listens={6443: port}, ready=lambda: listens(port)):
        try:
            plane.client.apply(api_service(namespace))
            plane.wait_until("no endpoint is found", 30, lambda: "False" in availability(plane))
            plane.client.apply(service(namespace, {"app": "api"}))
            plane.wait_until("it is available", 60, lambda: availability(plane) == "True Passed")
            answered = plane.client.request("GET", "/apis/played.test/v1").object
        finally:
            plane.client.delete("apiregistration.k8s.io/v1", "APIService", "v1.played.test")
    assert answered["groupVersion"] == "played.test/v1"


@pytest.mark.parametrize(("mounts", "told"), [(True, "a token"), (False, "no token")], ids=["mounted", "none"])
def test_a_program_has_a_token_only_where_its_pod_mounts_one(
    plane: ControlPlane, namespace: str, tmp_path: Path, mounts: bool, told: str
) -> None:
    found, (port,), log = running(plane, pod(namespace, mounts_token=mounts)), free_ports(1), tmp_path / "api.log"
    with played(plane, found, command(plane, port), log, ready=lambda: listens(port)):
        assert told in log.read_text()


def test_a_program_that_dies_is_named_as_its_pod(plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    found = running(plane, pod(namespace))
    program = [sys.executable, "-c", "print('no such flag'); raise SystemExit(3)"]
    with (
        pytest.raises(UserError, match=rf"{namespace}/api ended with exit code 3.*\n.*no such flag"),
        played(plane, found, program, tmp_path / "log", ready=lambda: False),
    ):
        pass


def test_a_token_is_worth_nothing_once_its_pod_is_gone(plane: ControlPlane, namespace: str) -> None:
    found = running(plane, pod(namespace))
    account = plane.pod_account(namespace, "default", found["metadata"]["name"])
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "metadata": {"name": "review"},
        "spec": {"token": account.token},
    }

    def authenticated() -> bool:
        status = plane.client.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review).object["status"]
        return bool(status.get("authenticated"))

    assert authenticated()
    plane.client.delete("v1", "Pod", "api", namespace, grace_seconds=0)
    plane.wait_until("it is refused", 30, lambda: not authenticated())
