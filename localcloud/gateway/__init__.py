"""The door on this machine: the real Envoy Gateway and the real Envoy over the very objects that a plan lays.

Usage:

    with open_gateway(objects, backends={("serving", "tumour-risk"): [("127.0.0.1", http, grpc)]}) as door:
        requests.post(f"{door.http_url}/v2/models/…", headers={"Host": "tumour-risk.models.example"})
        door.update(backends={…})               # returns when Envoy runs it
        door.admin.total(r"upstream_rq_retry$")
        door.changes                            # what had to be changed of the objects, and why

What cannot be had here: a load balancer before Envoy, cert-manager (give the Secret), the API server's admission.
"""

from __future__ import annotations

from localcloud.gateway.admin import Admin
from localcloud.gateway.client import session_to
from localcloud.gateway.door import Door, open_gateway
from localcloud.gateway.objects import Backends, Change
from localcloud.gateway.rendered import RenderedDoor, Rendering, open_rendered, render
from localcloud.toolchain.envoy import ensure_envoy, ensure_envoy_gateway

__all__ = [
    "Admin",
    "Backends",
    "Change",
    "Door",
    "RenderedDoor",
    "Rendering",
    "ensure_envoy",
    "ensure_envoy_gateway",
    "open_gateway",
    "open_rendered",
    "render",
    "session_to",
]
