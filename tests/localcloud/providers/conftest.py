"""A provider that can be spoken to without the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from localcloud.kubernetes.provider import KubernetesProvider
from localcloud.providers.base import LocalProvider
from localcloud.providers.servicer import Servicer
from localcloud.providers.store import Store
from localcloud.providers.values import Path as ValuePath
from localcloud.providers.values import decode, encode


class RefusedError(Exception):
    """What gRPC raises in a server when a call is aborted."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class FakeContext:
    """As much of a gRPC context as the servicer uses."""

    def abort(self, code: grpc.StatusCode, text: str) -> None:
        raise RefusedError(code, text)


class Caller:
    """Sends requests to a servicer as the engine does, and hands back plain values."""

    def __init__(self, provider: LocalProvider) -> None:
        self.servicer = Servicer(provider)

    def call(self, name: str, request: Any) -> Any:
        return getattr(self.servicer, name)(request, FakeContext())

    def urn(self, token: str, name: str) -> str:
        return f"urn:pulumi:dev::test::{token}::{name}"

    def check(self, token: str, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        request = provider_pb2.CheckRequest(urn=self.urn(token, "x"), type=token, name="x", news=encode(inputs))
        return [(f.property, f.reason) for f in self.call("Check", request).failures]

    def create(
        self,
        token: str,
        inputs: Mapping[str, Any],
        *,
        preview: bool = False,
        name: str = "x",
        secrets: frozenset[ValuePath] = frozenset(),
    ) -> Any:
        request = provider_pb2.CreateRequest(
            urn=self.urn(token, name), type=token, name=name, properties=encode(inputs, secrets), preview=preview
        )
        return self.call("Create", request)

    def read(self, token: str, identity: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Any:
        request = provider_pb2.ReadRequest(
            urn=self.urn(token, "x"),
            type=token,
            name="x",
            id=identity,
            inputs=encode(inputs),
            properties=encode(outputs),
        )
        return self.call("Read", request)

    def values(self, struct: Any) -> dict[str, Any]:
        return decode(struct).values


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite3")
    yield store
    store.close()


@pytest.fixture
def caller(store: Store) -> Caller:
    return Caller(KubernetesProvider(store))


@pytest.fixture
def caller_of() -> Callable[[LocalProvider], Caller]:
    return Caller


@pytest.fixture
def refused() -> type[Exception]:
    return RefusedError
