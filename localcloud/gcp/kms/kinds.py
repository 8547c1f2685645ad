"""Key rings, keys and their grants, made and read through the emulator's Cloud KMS API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from common.gcp_api import GcpError
from localcloud.gcp.context import project_of
from localcloud.gcp.fields import Field
from localcloud.gcp.members import PolicyMember
from localcloud.gcp.rest import RestKind
from localcloud.providers.base import ProviderError, Request, State, physical_name


class KeyRing(RestKind):
    """Cannot be deleted, only forgotten, as in Cloud KMS."""

    pulumi_type = "gcp:kms/keyRing:KeyRing"
    service = "kms"
    fields = ()

    def create(self, request: Request) -> State:
        location = request.inputs["location"]
        parent = f"v1/projects/{project_of(request, self._context)}/locations/{location}/keyRings"
        try:
            found = self._api.post(self.service, parent, {}, {"keyRingId": physical_name(request, "name")})
        except GcpError as e:
            if e.code != 409:
                raise
            raise ProviderError(
                f"{e.what}. Key rings can never be deleted, in Cloud KMS as here: choose another name, or import it",
                "name",
            ) from e
        return self._state(request, found)

    def read(self, request: Request) -> State | None:
        state = super().read(request)
        if state is None or request.inputs:
            return state
        # An import: its id says all that it is asked for, and any of it that differed would replace it.
        return replace(state, inputs=dict(state.outputs))

    def update(self, request: Request) -> State:
        raise ProviderError(f"{request.id} has nothing that can change")

    def delete(self, request: Request) -> None:
        """Cloud KMS keeps it."""

    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        _, project, _, location, _, name = str(found["name"]).split("/")
        return State(str(found["name"]), {"name": name, "project": project, "location": location})


class CryptoKey(RestKind):
    """Deletion destroys its versions and leaves the key, as the real provider does."""

    pulumi_type = "gcp:kms/cryptoKey:CryptoKey"
    not_enforced = "it never rotates; its grants, states and location are"
    service = "kms"
    fields = (
        Field("destroyScheduledDuration"),
        Field("importOnly"),
        Field("labels", exact=True),
        Field("purpose"),
        Field("rotationPeriod"),
        Field("versionTemplate"),
    )

    def create(self, request: Request) -> State:
        params = {"cryptoKeyId": physical_name(request, "name")}
        if request.inputs.get("skipInitialVersionCreation"):
            params["skipInitialVersionCreation"] = "true"
        ring = str(request.inputs["keyRing"])
        found = self._api.post(self.service, f"v1/{ring}/cryptoKeys", self._body(request.inputs), params)
        return self._state(request, found)

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        path = f"v1/{request.id}"
        params = {"updateMask": ",".join(mask)}
        return self._state(
            request, self._api.patch(self.service, path, patch, params) if mask else self._api.get(self.service, path)
        )

    def delete(self, request: Request) -> None:
        if self._find(request) is None:
            return
        for version in self._api.list(self.service, f"v1/{request.id}/cryptoKeyVersions", "cryptoKeyVersions"):
            if version["state"] in ("ENABLED", "DISABLED"):
                self._api.post(self.service, f"v1/{version['name']}:destroy")
        self._api.patch(
            self.service,
            f"v1/{request.id}",
            {"rotationPeriod": None},
            {"updateMask": "rotationPeriod,nextRotationTime"},
        )

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


class CryptoKeyMember(PolicyMember):
    pulumi_type = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
    argument = "cryptoKeyId"

    def _get(self, resource: str) -> dict[str, Any]:
        return self._api.get("kms", f"v1/{resource}:getIamPolicy")

    def _set(self, resource: str, policy: dict[str, Any]) -> dict[str, Any]:
        return self._api.post("kms", f"v1/{resource}:setIamPolicy", {"policy": policy})


KINDS: Final = (KeyRing, CryptoKey, CryptoKeyMember)
