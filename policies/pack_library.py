"""Two things that the engine tells a policy pack and pulumi-policy keeps from it: what is secret, and the config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi_policy.policy as library
from pulumi_policy.deserialize import deserialize_properties

OnStack = Callable[[str, Mapping[str, str]], None]
"""Is told the stack's name and its configuration (key → value, objects as JSON; secrets in the clear)."""


def adapt_library(on_stack: OnStack) -> None:
    """Have pulumi-policy mark secrets in properties, and pass the stack's configuration on to `on_stack`.

    The library can mark secrets, but its validation callbacks do not ask for it; a reason that quotes an input
    must never quote a secret. It receives the configuration, and drops it. Both are changed in the library's
    module, which is pinned; `policies.engine` refuses to judge if either no longer works.
    """

    def marked(properties: dict[str, Any], _proxy_secrets: bool = True) -> dict[str, Any]:
        return deserialize_properties(properties, True)

    class Servicer(library._PolicyAnalyzerServicer):
        def ConfigureStack(self, request: Any, _context: Any) -> Any:  # noqa: N802 - an RPC's name
            on_stack(request.stack, dict(request.config))
            return super().ConfigureStack(request, _context)

    library.__dict__["deserialize_properties"] = marked
    library.__dict__["_PolicyAnalyzerServicer"] = Servicer
