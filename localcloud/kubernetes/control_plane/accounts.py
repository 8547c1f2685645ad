"""Service accounts as their pods have them: token, authority and namespace in a folder, and a kubeconfig."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from localcloud.kubernetes.control_plane.client import ClusterClient

USUAL_FOLDER: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a pod finds its token, `ca.crt` and `namespace`."""
_TOKEN_SECONDS: Final = 24 * 3600


@dataclass(frozen=True)
class Account:
    """What a pod of a service account is given."""

    namespace: str
    name: str
    token: str
    folder: Path
    """Holds `token`, `ca.crt` and `namespace`, as `USUAL_FOLDER` does in a pod."""
    kubeconfig: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """Where a pod is told the API server is."""
        address = urlsplit(self.url)
        return {"KUBERNETES_SERVICE_HOST": str(address.hostname), "KUBERNETES_SERVICE_PORT": str(address.port)}


class Accounts:
    """Makes them, in folders below `folder`."""

    def __init__(self, client: ClusterClient, folder: Path, url: str, ca: Path) -> None:
        self._client = client
        self._folder = folder
        self._url = url
        self._ca = ca

    def account(self, namespace: str, name: str, pod: str | None = None) -> Account:
        """A token as the kubelet asks for it, bound to `pod` if one is named.

        Raises:
            RefusedError: there is no such account, or no such pod of it.
        """
        spec: dict[str, Any] = {"expirationSeconds": _TOKEN_SECONDS}
        if pod is not None:
            spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", "name": pod}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = self._client.resource("v1", "ServiceAccount").path(namespace, name, "token")
        token = str(self._client.request("POST", path, request).object["status"]["token"])
        folder = self._folder / namespace / (pod or name)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file, text in (("token", token), ("ca.crt", self._ca.read_text()), ("namespace", namespace)):
            _write_private(folder / file, text)
        kubeconfig = folder / "kubeconfig"
        write_kubeconfig(kubeconfig, self._url, self._ca, name, token, namespace)
        return Account(namespace, name, token, folder, kubeconfig, self._url)


def write_kubeconfig(path: Path, url: str, ca: Path, user: str, token: str, namespace: str = "default") -> None:
    """A kubeconfig with one cluster and one user; JSON, which is YAML."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "local",
        "clusters": [{"name": "local", "cluster": {"server": url, "certificate-authority": str(ca)}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": user, "namespace": namespace}}],
    }
    _write_private(path, json.dumps(config, indent=1))


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
