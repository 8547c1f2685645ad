"""The stand-in for Pulumi's Google Cloud provider: `python -m localcloud.gcp.provider`, run by the engine.

What has a data plane (buckets and their grants, keys, Redis, transfer and scheduler jobs) is made through the
emulator's REST APIs; the rest is remembered, with ids and links shaped as Google's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from common.errors import UserError
from common.gcp_api import GcpApi, GcpError
from common.sdk.replacement_gcp import REPLACE_ON, name_property
from common.target import Target
from localcloud.gcp.context import Context, labels_of
from localcloud.gcp.iam import kinds as iam
from localcloud.gcp.kms import kinds as kms
from localcloud.gcp.recorded import RECORDED
from localcloud.gcp.redis import kinds as redis
from localcloud.gcp.rest import EmulatedKind, refuse_protected
from localcloud.gcp.scheduler import kinds as scheduler
from localcloud.gcp.shapes import Shape
from localcloud.gcp.storage import kinds as storage
from localcloud.gcp.transfer import kinds as transfer
from localcloud.providers.base import (
    Kind,
    LocalProvider,
    ProviderError,
    Recorded,
    Request,
    State,
    force_delete,
    unknown_type,
)
from localcloud.providers.serve import serve
from localcloud.providers.store import Store
from localcloud.providers.values import Unknown

ENV_URL: Final = "SEAWALL_LOCAL_GCP_URL"
"""The emulator's base URL, in the provider process's environment."""

_SERVICES: Final = (iam, kms, redis, scheduler, storage, transfer)
EMULATED: Final[Mapping[str, type[EmulatedKind]]] = {kind.pulumi_type: kind for s in _SERVICES for kind in s.KINDS}
"""The types with a data plane, by token."""

NOT_ENFORCED: Final[Mapping[str, str]] = {t: kind.not_enforced for t, kind in EMULATED.items() if kind.not_enforced}
"""Type → `Kind.not_enforced`, for those that have such a note."""

ASKED: Final[Mapping[str, tuple[str, str]]] = {
    "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": ("logging", "serviceAccountId"),
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": ("storage", "emailAddress"),
    "gcp:storage/getTransferProjectServiceAccount:getTransferProjectServiceAccount": ("storagetransfer", "email"),
}
"""Lookup → the service that it asks for its agent, and the output that holds the address."""

_SECRET_OUTPUTS: Final = ("effectiveLabels", "pulumiLabels")


class GcpProvider(LocalProvider):
    """Google Cloud's types by token."""

    package = "gcp"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        url = os.environ.get(ENV_URL)
        if not url:
            raise UserError(
                f"{ENV_URL} is not set", "the Google Cloud stand-in provider", "Run it by way of `seawall local`."
            )
        self._target = Target(name="local", mode="emulated", gcp_endpoint_url=url)
        self._api = GcpApi(self._target, "")

    @property
    def context(self) -> Context:
        """What the provider resource was configured with."""
        labels = self.config.get("defaultLabels")
        known = {name: self.config.get(name) for name in ("project", "region")}
        project, region = ("" if v is None or isinstance(v, Unknown) else str(v) for v in known.values())
        return Context(project, region, labels if isinstance(labels, Mapping) else {})

    def kind(self, token: str) -> Kind:
        if token in EMULATED:
            return Guarded(EMULATED[token](self._api, self.context))
        if token in RECORDED:
            return Guarded(self._recorded(RECORDED[token]))
        raise unknown_type(token, "localcloud/gcp/recorded.py")

    def replace_on(self, token: str) -> Iterable[str]:
        return ("project", *REPLACE_ON.get(token, ()))

    def name_property(self, token: str) -> str:
        return name_property(token)

    def secret_outputs(self, token: str) -> Iterable[str]:
        return (*_SECRET_OUTPUTS, *(EMULATED[token].secret_outputs if token in EMULATED else ()))

    def translate(self, error: Exception, request: Request) -> ProviderError:
        if isinstance(error, GcpError):
            return ProviderError(error.what, blame(request.inputs, error.what))
        if isinstance(error, UserError):
            return ProviderError(f"{error.what} ({error.where})")
        return super().translate(error, request)

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The questions for an agent's address, by which it comes to be; no other lookup is answered."""
        if token not in ASKED:
            return super().invoke(token, arguments)
        service, output = ASKED[token]
        project = str(arguments.get("project") or self.context.project)
        email = iam.agent_of(self._api, project, service)
        return {"id": project, "project": project, "member": f"serviceAccount:{email}", output: email}

    def _recorded(self, shape: Shape) -> Recorded:
        context = self.context

        def compute(request: Request, physical_id: str) -> Mapping[str, Any]:
            labels = labels_of(request.inputs.get(shape.labels_property), context) if shape.labels_property else {}
            return {**shape.compute(request, physical_id, context), **labels}

        return Recorded(self.store, lambda r: shape.identify(r, context), compute, exclusive=shape.exclusive)


class Guarded(Kind):
    """A kind that obeys `deletionProtection` and `deletionPolicy`."""

    def __init__(self, inner: Kind) -> None:
        self._inner = inner

    def create(self, request: Request) -> State:
        return self._inner.create(request)

    def read(self, request: Request) -> State | None:
        return self._inner.read(request)

    def update(self, request: Request) -> State:
        return self._inner.update(request)

    def delete(self, request: Request) -> None:
        refuse_protected(request)
        if request.inputs.get("deletionPolicy") == "ABANDON" and not force_delete():
            return
        self._inner.delete(request)


def blame(inputs: Mapping[str, Any], message: str) -> str | None:
    """The dotted argument whose value a refusal quotes, the longest value first; None if it quotes none."""
    quoted = [(len(value), path) for path, value in _texts(inputs, "") if len(value) > 3 and value in message]
    return max(quoted)[1] if quoted else None


def _texts(value: Any, path: str) -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _texts(item, f"{path}[{i}]")


if __name__ == "__main__":
    raise SystemExit(serve(GcpProvider))
