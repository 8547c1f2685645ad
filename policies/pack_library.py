"""What the engine says to a policy pack, before pulumi-policy narrows it down for the policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pulumi_policy.policy as library
from pulumi.runtime.proto import analyzer_pb2 as proto


class Observer(Protocol):
    """Is shown each request before the policies run."""

    def configured(self, stack: str, config: Mapping[str, str]) -> None:
        """The stack's name and its configuration: key → value, objects as JSON; secrets in the clear."""

    def resource_checked(self, request: proto.AnalyzeRequest) -> None:
        """A resource whose provider has checked its inputs and has not acted yet."""

    def stack_shown(self, request: proto.AnalyzeStackRequest) -> None:
        """All resources of the stack, with outputs where inputs were."""


def observe(observer: Observer) -> Callable[[], None]:
    """Have pulumi-policy show `observer` every request; gives what undoes that.

    The library's own view lacks the stack's configuration and who manages a resource, shows secrets in the clear,
    and is read anew for each policy. So the policies get no resources from the library, and read the observer's.
    The change is in the library's module, which is pinned; `policies.engine` refuses to judge if it does not work.
    """
    original = library._PolicyAnalyzerServicer

    class Servicer(original):
        def ConfigureStack(self, request: Any, _context: Any) -> Any:  # noqa: N802 - an RPC's name
            observer.configured(request.stack, dict(request.config))
            return super().ConfigureStack(request, _context)

        def Analyze(self, request: proto.AnalyzeRequest, _context: Any) -> Any:  # noqa: N802
            observer.resource_checked(request)
            return proto.AnalyzeResponse()

        def AnalyzeStack(self, request: proto.AnalyzeStackRequest, _context: Any) -> Any:  # noqa: N802
            observer.stack_shown(request)
            return super().AnalyzeStack(proto.AnalyzeStackRequest(), _context)

    def undo() -> None:
        library.__dict__["_PolicyAnalyzerServicer"] = original

    library.__dict__["_PolicyAnalyzerServicer"] = Servicer
    return undo
