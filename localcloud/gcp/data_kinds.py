"""Buckets and keys, made and read through the emulator's Cloud Storage and Cloud KMS APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from common.gcp_api import GcpError
from localcloud.gcp.arguments import BUCKET, CRYPTO_KEY
from localcloud.gcp.recorded import project_of
from localcloud.gcp.rest import RestKind, may_force
from localcloud.providers.base import ProviderError, Request, State, physical_name


class Bucket(RestKind):
    """`gcp:storage/bucket:Bucket`"""

    fields = BUCKET

    def create(self, request: Request) -> State:
        wanted = {**self._body(request.inputs), "name": physical_name(request, "name")}
        project = project_of(request, self._context)
        return self._state(request, self._api.post("storage", "storage/v1/b", wanted, {"project": project}))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        path = bucket_path(request.id)
        found = self._api.patch("storage", path, patch) if mask else self._api.get("storage", path)
        return self._state(request, found)

    def delete(self, request: Request) -> None:
        if self._find(request) is None:
            return
        if request.inputs.get("forceDestroy") or may_force():
            self._empty(request.id)
        self._api.delete("storage", bucket_path(request.id))

    def _empty(self, bucket: str) -> None:
        items = list(self._api.list("storage", f"{bucket_path(bucket)}/o", "items", {"versions": "true"}))
        for item in items:
            path = f"{bucket_path(bucket)}/o/{quote(item['name'], safe='')}"
            self._api.delete("storage", path, {"generation": str(item["generation"])})

    def _find(self, request: Request) -> dict[str, Any] | None:
        return self._api.find("storage", bucket_path(request.id))

    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        name = str(found["name"])
        outputs = {
            "name": name,
            "project": found["project"],
            "location": found["location"],
            "url": f"gs://{name}",
            "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
            "projectNumber": int(found["projectNumber"]),
            "timeCreated": found["timeCreated"],
            "updated": found["updated"],
            "softDeletePolicy": {
                **(_request.inputs.get("softDeletePolicy") or {}),
                "retentionDurationSeconds": int(found["softDeletePolicy"]["retentionDurationSeconds"]),
                "effectiveTime": found["softDeletePolicy"].get("effectiveTime"),
            },
        }
        return State(name, outputs)


def bucket_path(name: str) -> str:
    """Where the API has a bucket; `name` may be its id too."""
    return f"storage/v1/b/{quote(name.removeprefix('b/'), safe='')}"


class KeyRing(RestKind):
    """`gcp:kms/keyRing:KeyRing`; cannot be deleted, only forgotten, as in Cloud KMS."""

    fields = ()

    def create(self, request: Request) -> State:
        location = request.inputs["location"]
        parent = f"v1/projects/{project_of(request, self._context)}/locations/{location}/keyRings"
        try:
            found = self._api.post("kms", parent, {}, {"keyRingId": physical_name(request, "name")})
        except GcpError as e:
            if e.code != 409:
                raise
            raise ProviderError(
                f"{e.what}. Key rings can never be deleted, in Cloud KMS as here: choose another name, or import it",
                "name",
            ) from e
        return self._state(request, found)

    def update(self, request: Request) -> State:
        raise ProviderError(f"{request.id} has nothing that can change")

    def delete(self, request: Request) -> None:
        """Cloud KMS keeps it."""

    def _find(self, request: Request) -> dict[str, Any] | None:
        return self._api.find("kms", f"v1/{request.id}")

    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        _, project, _, location, _, name = str(found["name"]).split("/")
        return State(str(found["name"]), {"name": name, "project": project, "location": location})


class CryptoKey(RestKind):
    """`gcp:kms/cryptoKey:CryptoKey`; deletion destroys its versions and leaves the key, as the real provider does."""

    fields = CRYPTO_KEY

    def create(self, request: Request) -> State:
        params = {"cryptoKeyId": physical_name(request, "name")}
        if request.inputs.get("skipInitialVersionCreation"):
            params["skipInitialVersionCreation"] = "true"
        ring = str(request.inputs["keyRing"])
        found = self._api.post("kms", f"v1/{ring}/cryptoKeys", self._body(request.inputs), params)
        return self._state(request, found)

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        path = f"v1/{request.id}"
        params = {"updateMask": ",".join(mask)}
        return self._state(
            request, self._api.patch("kms", path, patch, params) if mask else self._api.get("kms", path)
        )

    def delete(self, request: Request) -> None:
        if self._find(request) is None:
            return
        for version in self._api.list("kms", f"v1/{request.id}/cryptoKeyVersions", "cryptoKeyVersions"):
            if version["state"] in ("ENABLED", "DISABLED"):
                self._api.post("kms", f"v1/{version['name']}:destroy")
        self._api.patch(
            "kms", f"v1/{request.id}", {"rotationPeriod": None}, {"updateMask": "rotationPeriod,nextRotationTime"}
        )

    def _find(self, request: Request) -> dict[str, Any] | None:
        return self._api.find("kms", f"v1/{request.id}")

    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        ring, _, name = str(found["name"]).rsplit("/", 2)
        primary = found.get("primary")
        outputs = {
            "name": name,
            "keyRing": _request.inputs.get("keyRing") or ring,
            "destroyScheduledDuration": found["destroyScheduledDuration"],
            "versionTemplate": found["versionTemplate"],
            "primaries": [{"name": primary["name"], "state": primary["state"]}] if primary else [],
        }
        return State(str(found["name"]), outputs)
