"""Speaks Pulumi's provider protocol for a `LocalProvider`: wire values, checks, previews, diffs and errors.

An exception that leaves a call makes the engine wait for five seconds (measured), so every call turns what went
wrong into a gRPC status that names the resource and the argument.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from common.sdk.computed import parts_unknown
from localcloud.providers import checks
from localcloud.providers.base import Kind, LocalProvider, ProviderError, Request, State
from localcloud.providers.diffing import decide
from localcloud.providers.values import (
    UNKNOWN,
    Decoded,
    Path,
    decode,
    encode,
    has_unknown,
    secret_paths_of_outputs,
)

_T = TypeVar("_T")

_KINDS = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def _guarded(call: Callable[[Any, Any, grpc.ServicerContext], Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def guarded(self: Servicer, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return call(self, request, context)
        except ProviderError as e:
            _abort(context, grpc.StatusCode.INVALID_ARGUMENT, _error_text(request, e))
        except Exception as e:
            text = f"{_subject(request)}: {self.provider.explain(e)}"
            _abort(context, grpc.StatusCode.INTERNAL, text)

    return guarded


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, text: str) -> NoReturn:
    context.abort(code, text)
    raise AssertionError("abort raises")


def _subject(request: Any) -> str:
    name = getattr(request, "name", "") or getattr(request, "urn", "").rsplit("::", 1)[-1]
    token = getattr(request, "type", "") or getattr(request, "tok", "")
    return f"{token} {name!r}" if name else token


def _error_text(request: Any, error: ProviderError) -> str:
    argument = f", argument {error.argument!r}" if error.argument else ""
    return f"{_subject(request)}{argument}: {error.reason}"


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """The gRPC side of one provider process."""

    def __init__(self, provider: LocalProvider) -> None:
        self.provider = provider

    @_guarded
    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    @_guarded
    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        return plugin_pb2.PluginInfo(version=checks.sdk_version(self.provider.package))

    @_guarded
    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        return empty_pb2.Empty()

    @_guarded
    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        return empty_pb2.Empty()

    @_guarded
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        news = decode(request.news)
        token = f"pulumi:providers:{self.provider.package}"
        failures = _failures(checks.problems(token, _configuration(news.values)))
        return provider_pb2.CheckResponse(inputs=encode(news.values, news.secrets), failures=failures)

    @_guarded
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        olds, news = decode(request.old_inputs).values, decode(request.news).values
        replacing = self.provider.replaced_by(olds, news)
        return _diff_response(decide(olds, news, replace_on=replacing, ignore=request.ignoreChanges))

    @_guarded
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        self.provider.configure(_parsed(decode(request.args).values))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @_guarded
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        news = decode(request.news)
        token = _token(request)
        failures = [*checks.problems(token, news.values), *self.provider.check(token, news.values)]
        return provider_pb2.CheckResponse(inputs=encode(news.values, news.secrets), failures=_failures(failures))

    @_guarded
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        token = _token(request)
        deployed = self._request(request, decode(request.old_inputs), outputs=decode(request.olds).values)
        difference = decide(
            self.provider.deployed_inputs(deployed),
            decode(request.news).values,
            replace_on=self.provider.replace_on(token),
            name_property=self.provider.name_property(token),
            new_name_creates_first=self.provider.new_name_creates_first,
            ignore=request.ignoreChanges,
        )
        return _diff_response(difference)

    @_guarded
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        news = decode(request.properties)
        asked = self._request(request, news)
        if request.preview:
            self._ask(asked)
            computed = {
                name: UNKNOWN
                for name in checks.output_properties(asked.token)
                if name not in news.values and name not in ("id", "urn")
            }
            outputs = {**news.values, **computed, **parts_unknown(asked.token, news.values, UNKNOWN)}
            return provider_pb2.CreateResponse(id="", properties=self._encode(asked.token, outputs, news.secrets))
        _demand_known(asked.inputs)
        state = self._do(asked, lambda kind: kind.create(asked))
        return provider_pb2.CreateResponse(id=state.id, properties=self._outputs(asked, news, state))

    @_guarded
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        inputs = decode(request.inputs)
        outputs = decode(request.properties)
        asked = self._request(request, inputs, outputs=outputs.values)
        state = self._do(asked, lambda kind: kind.read(asked))
        if state is None:
            return provider_pb2.ReadResponse()
        found = inputs if state.inputs is None else Decoded(dict(state.inputs), inputs.secrets)
        return provider_pb2.ReadResponse(
            id=state.id,
            properties=self._outputs(asked, found, state),
            inputs=encode(found.values, found.secrets),
        )

    @_guarded
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        news = decode(request.news)
        olds = decode(request.olds)
        old_inputs = decode(request.old_inputs)
        asked = self._request(request, news, old_inputs=old_inputs.values, outputs=olds.values)
        if request.preview:
            self._ask(asked)
            # An output may hold more than the input of its name: what the provider computes inside it stays, too.
            asked_before = old_inputs.values
            kept = {
                k: v
                for k, v in olds.values.items()
                if k not in asked_before or (k in news.values and news.values[k] == asked_before[k])
            }
            outputs = {**news.values, **kept}
            return provider_pb2.UpdateResponse(
                properties=self._encode(asked.token, outputs, news.secrets | olds.secrets)
            )
        _demand_known(asked.inputs)
        state = self._do(asked, lambda kind: kind.update(asked))
        return provider_pb2.UpdateResponse(properties=self._outputs(asked, news, state))

    @_guarded
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        asked = self._request(request, decode(request.old_inputs), outputs=decode(request.properties).values)
        self._do(asked, lambda kind: kind.delete(asked))
        return empty_pb2.Empty()

    @_guarded
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        arguments = decode(request.args).values
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(encode(self.provider.invoke(request.tok, arguments)))
        return response

    def _do(self, request: Request, act: Callable[[Kind], _T]) -> _T:
        try:
            return act(self.provider.kind(request.token))
        except ProviderError:
            raise
        except Exception as e:
            raise self.provider.translate(e, request) from e

    def _ask(self, request: Request) -> None:
        refusal = self.provider.preview_refusal(request)
        if refusal is not None:
            raise ProviderError(refusal)

    def _request(
        self,
        wire: Any,
        inputs: Decoded,
        *,
        old_inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> Request:
        return Request(
            urn=wire.urn,
            token=_token(wire),
            name=wire.name or wire.urn.rsplit("::", 1)[-1],
            inputs=_without_bookkeeping(inputs.values),
            id=getattr(wire, "id", ""),
            old_inputs=_without_bookkeeping(old_inputs or {}),
            outputs=outputs or {},
            timeout_seconds=float(getattr(wire, "timeout", 0.0)),
        )

    def _outputs(self, request: Request, inputs: Decoded, state: State) -> Any:
        outputs = {**_without_bookkeeping(inputs.values), **state.outputs}
        return self._encode(request.token, outputs, inputs.secrets)

    def _encode(self, token: str, outputs: Mapping[str, Any], secrets: Iterable[Path]) -> Any:
        always = self.provider.secret_outputs(token)
        return encode(outputs, secret_paths_of_outputs(outputs, frozenset(secrets), always))


def _token(request: Any) -> str:
    # URN: urn:pulumi:<stack>::<project>::<parent types$type>::<name>
    return request.type or request.urn.split("::")[2].rsplit("$", 1)[-1]


def _without_bookkeeping(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if not k.startswith("__")}


def _demand_known(inputs: Mapping[str, Any]) -> None:
    unknown = [name for name, value in inputs.items() if has_unknown(value)]
    if unknown:
        raise ProviderError("is still unknown while the update runs", unknown[0])


def _configuration(config: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's inputs without what only the engine needs to find its plugin."""
    return {k: v for k, v in _without_bookkeeping(config).items() if k not in ("version", "pluginDownloadURL")}


def _parsed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Provider configuration with its values decoded: the engine sends all but strings as JSON texts."""

    def parse(value: Any) -> Any:
        if not isinstance(value, str) or value[:1] not in ("{", "[", "t", "f"):
            return value
        try:
            return json.loads(value)
        except ValueError:
            return value

    return {k: parse(v) for k, v in _configuration(config).items()}


def _failures(problems: Iterable[tuple[str, str]]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=path, reason=reason) for path, reason in problems]


def _diff_response(difference: Any) -> Any:
    some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=some if difference.changes else none,
        replaces=list(difference.replaces),
        diffs=[c.path for c in difference.changes],
        detailedDiff={
            c.path: provider_pb2.PropertyDiff(kind=_KINDS[c.change, c.replaces], inputDiff=True)
            for c in difference.changes
        },
        hasDetailedDiff=True,
        deleteBeforeReplace=difference.delete_before_replace,
    )
