"""Cloud KMS: key rings, keys, their grants, and the states that make a version unusable.

Other services ask here whether they may encrypt with a key. Nothing is encrypted, and keys do not rotate.

REST shapes: https://cloud.google.com/kms/docs/reference/rest. States:
https://cloud.google.com/kms/docs/key-states. Key rings, keys and versions cannot be deleted, as in Cloud KMS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, Literal

from localcloud.decisions import Decision
from localcloud.gcp import clock
from localcloud.gcp.iam import resources
from localcloud.gcp.iam.judge import Judge
from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.kms import signing
from localcloud.gcp.regions import Regions
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import ApiError, Principal, Request, Response, Routes, not_found

_RINGS: Final = "kms/keyRings"
_KEYS: Final = "kms/cryptoKeys"
_VERSIONS: Final = "kms/cryptoKeyVersions"

_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,63}")
DEFAULT_DESTROY_SECONDS: Final = 30 * 86400  # 30 days since 2024; the API's default
MIN_ROTATION_SECONDS: Final = 86400

_LOCATION: Final = r"projects/[^/]+/locations/[^/:]+"
_RING: Final = rf"{_LOCATION}/keyRings/[^/:]+"
_KEY: Final = rf"{_RING}/cryptoKeys/[^/:]+"
_VERSION: Final = rf"{_KEY}/cryptoKeyVersions/\d+"

Use = Literal["useToEncrypt", "useToDecrypt"]

KEY_NAME: Final = re.compile(r"projects/[^/]+/locations/(?P<location>[^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")


class Kms:
    """The KMS API, and what other services ask of it."""

    def __init__(self, store: DocumentStore, policies: Policies, judge: Judge, regions: Regions) -> None:
        self._store = store
        self._policies = policies
        self._judge = judge
        self._regions = regions
        self.on_change: list[Callable[[str], None]] = []
        """Called with a key's name after one of its versions, or who may use it, changed."""
        self._routes = self._make_routes()

    def handle(self, request: Request, path: str) -> Response:
        """Answer an API request."""
        return self._routes.handle(request, path)

    # What the other services ask.

    def primary(self, key: str) -> str:
        """The version that encrypts. Raises ApiError: 404 unknown key, 400 not enabled, 503 in a lost region."""
        self._regions.require_of(key)
        document = self._store.get(_KEYS, key)
        if document is None:
            raise not_found("CryptoKey", key)
        version = document.get("primaryVersion")
        if version is None:
            raise ApiError(400, f"{key} has no primary version.", status="FAILED_PRECONDITION")
        self.require_enabled(version)
        return str(version)

    def exists(self, key: str) -> bool:
        """Whether there is such a key."""
        return self._store.get(_KEYS, key) is not None

    def require_enabled(self, version: str) -> None:
        """Raise ApiError (400 FAILED_PRECONDITION, 503 in a lost region) unless the key version can be used."""
        self._regions.require_of(version)
        state = self.state(version)
        if state != "ENABLED":
            raise ApiError(400, f"{version} is not enabled, current state is: {state}.", status="FAILED_PRECONDITION")

    def state(self, version: str) -> str:
        """The version's state now; a scheduled destruction whose time has come is done."""
        document = self._version(version)
        if document["state"] == "DESTROY_SCHEDULED" and clock.parse(document["destroyTime"]) <= clock.now():
            return "DESTROYED"
        return str(document["state"])

    def may(self, agent: Principal, use: Use, key: str) -> Decision:
        """Whether a service agent may encrypt or decrypt with a key, or a version of it."""
        return self._judge.decide(agent, f"cloudkms.cryptoKeyVersions.{use}", resources.key(key))

    # Key rings and keys.

    def _create_ring(self, request: Request, parent: str) -> Response:
        name = f"{parent}/keyRings/{_checked_id(request.query.get('keyRingId', ''))}"
        with self._store.lock:
            if self._store.get(_RINGS, name):
                raise ApiError(409, f"KeyRing {name} already exists.")
            return Response.of(self._store.put(_RINGS, name, {"name": name, "createTime": clock.now_text()}))

    def _get_ring(self, _request: Request, name: str) -> Response:
        return Response.of(self._ring(name))

    def _create_key(self, request: Request, ring: str) -> Response:
        self._ring(ring)
        name = f"{ring}/cryptoKeys/{_checked_id(request.query.get('cryptoKeyId', ''))}"
        body = request.json()
        purpose = body.get("purpose", "ENCRYPT_DECRYPT")
        template = {"protectionLevel": "SOFTWARE", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"}
        if purpose == signing.PURPOSE:
            signing.check_algorithm(str(body.get("versionTemplate", {}).get("algorithm", "")))
        elif purpose != "ENCRYPT_DECRYPT":
            raise ApiError(501, f"The local cloud has no keys for {purpose}.")
        document = {
            "name": name,
            "purpose": purpose,
            "createTime": clock.now_text(),
            "versionTemplate": {**template, **body.get("versionTemplate", {})},
            "destroyScheduledDuration": body.get("destroyScheduledDuration", f"{DEFAULT_DESTROY_SECONDS}s"),
            **_rotation(body),
            **({"labels": body["labels"]} if body.get("labels") else {}),
        }
        with self._store.lock:
            if self.exists(name):
                raise ApiError(409, f"CryptoKey {name} already exists.")
            self._store.put(_KEYS, name, document)
            if request.query.get("skipInitialVersionCreation") != "true":
                self._add_version(name)
        return Response.of(self._key_view(name))

    def _get_key(self, _request: Request, name: str) -> Response:
        return Response.of(self._key_view(name))

    def _patch_key(self, request: Request, name: str) -> Response:
        body = request.json()
        with self._store.lock:
            document = dict(self._key(name))
            for path in _mask(request):
                if path in ("rotationPeriod", "nextRotationTime"):
                    document.pop(path, None)
                    if body.get(path):
                        document.update(_rotation({path: body[path]}))
                elif path == "labels":
                    document["labels"] = body.get("labels", {})
                elif path.startswith("versionTemplate"):
                    document["versionTemplate"] = {**document["versionTemplate"], **body.get("versionTemplate", {})}
                else:
                    raise ApiError(400, f"The field {path} of a CryptoKey cannot be updated.")
            self._store.put(_KEYS, name, document)
        return Response.of(self._key_view(name))

    # Versions.

    def _get_version(self, _request: Request, name: str) -> Response:
        return Response.of(self._version_view(name))

    def _list_versions(self, _request: Request, key: str) -> Response:
        self._key(key)
        prefix = f"{key}/cryptoKeyVersions/"
        names = sorted((n for n, _ in self._store.all(_VERSIONS, prefix)), key=lambda n: int(n.rsplit("/", 1)[1]))
        return Response.of({"cryptoKeyVersions": [self._version_view(n) for n in names], "totalSize": len(names)})

    def _patch_version(self, request: Request, name: str) -> Response:
        wanted = request.json().get("state")
        if _mask(request) != ["state"] or wanted not in ("ENABLED", "DISABLED"):
            raise ApiError(400, "Only `state` can be updated, to ENABLED or DISABLED.")
        if self.state(name) not in ("ENABLED", "DISABLED"):
            raise ApiError(400, f"{name} is {self.state(name)}.", status="FAILED_PRECONDITION")
        return self._set_state(name, {"state": wanted})

    def _destroy(self, _request: Request, name: str) -> Response:
        if self.state(name) not in ("ENABLED", "DISABLED"):
            raise ApiError(400, f"{name} is {self.state(name)}.", status="FAILED_PRECONDITION")
        key = self._key(name.rsplit("/cryptoKeyVersions/", 1)[0])
        delay = clock.seconds(str(key["destroyScheduledDuration"]))
        return self._set_state(name, {"state": "DESTROY_SCHEDULED", "destroyTime": clock.text(clock.now() + delay)})

    def _restore(self, _request: Request, name: str) -> Response:
        if self.state(name) != "DESTROY_SCHEDULED":
            raise ApiError(400, f"{name} is not scheduled for destruction.", status="FAILED_PRECONDITION")
        return self._set_state(name, {"state": "DISABLED", "destroyTime": None})

    def _set_state(self, name: str, change: Mapping[str, Any]) -> Response:
        with self._store.lock:
            merged = {**self._version(name), **change}
            self._store.put(_VERSIONS, name, {k: v for k, v in merged.items() if v is not None})
        self._changed(name.rsplit("/cryptoKeyVersions/", 1)[0])
        return Response.of(self._version_view(name))

    def _changed(self, key: str) -> None:
        for notify in self.on_change:
            notify(key)

    def _get_policy(self, _request: Request, name: str) -> Response:
        self._resource(name)
        return Response.of(self._policies.get(name))

    def _set_policy(self, request: Request, name: str) -> Response:
        self._resource(name)
        changed = self._policies.set(name, request.json().get("policy", {}))
        for key, _ in self._store.all(_KEYS, name):
            self._changed(key)
        return Response.of(changed)

    # Documents.

    def _ring(self, name: str) -> Document:
        found = self._store.get(_RINGS, name)
        if found is None:
            raise not_found("KeyRing", name)
        return found

    def _key(self, name: str) -> Document:
        found = self._store.get(_KEYS, name)
        if found is None:
            raise not_found("CryptoKey", name)
        return found

    def _version(self, name: str) -> Document:
        found = self._store.get(_VERSIONS, name)
        if found is None:
            raise not_found("CryptoKeyVersion", name)
        return found

    def _resource(self, name: str) -> Document:
        return self._key(name) if "/cryptoKeys/" in name else self._ring(name)

    def _key_view(self, name: str) -> dict[str, Any]:
        view = dict(self._key(name))
        primary = view.pop("primaryVersion", None)
        return {**view, "primary": self._version_view(primary)} if primary else view

    def _version_view(self, name: str) -> dict[str, Any]:
        shown = {k: v for k, v in self._version(name).items() if k != signing.PRIVATE}
        return {**shown, "state": self.state(name)}

    def _public_key(self, _request: Request, name: str) -> Response:
        self.require_enabled(name)
        return Response.of(signing.public_key(self._version(name)))

    def _sign(self, request: Request, name: str) -> Response:
        self.require_enabled(name)
        return Response.of(signing.signature(self._version(name), request.json()))

    def _add_version(self, key: str) -> None:
        """Give a new key its first version, which encrypts."""
        name, document, moment = f"{key}/cryptoKeyVersions/1", self._key(key), clock.now_text()
        times = {"createTime": moment, "generateTime": moment}
        version = {"name": name, "state": "ENABLED", **times, **document["versionTemplate"]}
        if document["purpose"] == signing.PURPOSE:  # such a key has no primary version: its users name one
            self._store.put(_VERSIONS, name, {**version, signing.PRIVATE: signing.new_private(version["algorithm"])})
            return
        self._store.put(_VERSIONS, name, version)
        self._store.put(_KEYS, key, {**document, "primaryVersion": name})

    def _make_routes(self) -> Routes:
        routes = Routes()
        for method, pattern, handler in (
            ("POST", rf"(?P<parent>{_LOCATION})/keyRings", self._create_ring),
            ("GET", rf"(?P<name>{_RING})", self._get_ring),
            ("POST", rf"(?P<ring>{_RING})/cryptoKeys", self._create_key),
            ("GET", rf"(?P<name>{_KEY})", self._get_key),
            ("PATCH", rf"(?P<name>{_KEY})", self._patch_key),
            ("GET", rf"(?P<name>{_RING}(/cryptoKeys/[^/:]+)?):getIamPolicy", self._get_policy),
            ("POST", rf"(?P<name>{_RING}(/cryptoKeys/[^/:]+)?):setIamPolicy", self._set_policy),
            ("GET", rf"(?P<key>{_KEY})/cryptoKeyVersions", self._list_versions),
            ("GET", rf"(?P<name>{_VERSION})", self._get_version),
            ("PATCH", rf"(?P<name>{_VERSION})", self._patch_version),
            ("POST", rf"(?P<name>{_VERSION}):destroy", self._destroy),
            ("POST", rf"(?P<name>{_VERSION}):restore", self._restore),
            ("GET", rf"(?P<name>{_VERSION})/publicKey", self._public_key),
            ("POST", rf"(?P<name>{_VERSION}):asymmetricSign", self._sign),
        ):
            routes.add(method, f"/v1/{pattern}", handler)
        return routes


def _mask(request: Request) -> list[str]:
    return [path for path in request.query.get("updateMask", "").split(",") if path]


def _checked_id(identifier: str) -> str:
    if not _ID.fullmatch(identifier):
        raise ApiError(400, f"The id {identifier!r} does not match {_ID.pattern}.")
    return identifier


def _rotation(body: Mapping[str, Any]) -> dict[str, Any]:
    """The rotation fields, checked. Raises ApiError (400)."""
    fields = {name: body[name] for name in ("rotationPeriod", "nextRotationTime") if body.get(name)}
    try:
        period = clock.seconds(fields["rotationPeriod"]) if "rotationPeriod" in fields else None
    except ValueError as e:
        raise ApiError(400, f"rotationPeriod: {e}.") from e
    if period is not None and period < timedelta(seconds=MIN_ROTATION_SECONDS):
        raise ApiError(400, f"rotationPeriod must be at least {MIN_ROTATION_SECONDS}s.")
    return fields
