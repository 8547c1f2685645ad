"""The router: picks a variant for each row, lets it answer, and falls back to the default one; the answer says so."""

from __future__ import annotations

import datetime
import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np  # pyright: ignore[reportMissingImports]
import triton_python_backend_utils as pb_utils  # pyright: ignore[reportMissingModuleSource]
from routing import Pick, Policy, Settings, example, line, pick, propensities

VARIANT, REASON = "variant", "variant_reason"
CALLS_AT_ONCE = 16
"""Bounds the threads that a hanging variant can hold; while all hang, rows go to the default variant at once."""
PICKED = "picked"


class VariantError(Exception):
    """A variant gave no answer; its text says why."""


@dataclass(frozen=True)
class Part:
    """The rows of one request that one variant answers."""

    request: int
    arm: str
    rows: Sequence[int]


class TritonPythonModel:
    """One router; Triton gives each instance a process of its own."""

    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        self.settings = Settings.of_environment(os.environ)
        folder = Path(args["model_repository"]) / args["model_version"]
        self.policy = Policy.of_folder(folder, self.settings)
        self.inputs = [each["name"] for each in config["input"]]
        self.outputs = [each["name"] for each in config["output"] if each["name"] not in (VARIANT, REASON)]
        unknown = {feature.input for feature in self.policy.features} - set(self.inputs)
        if unknown:
            raise pb_utils.TritonModelException(f"the policy reads {', '.join(sorted(unknown))}, which is no input")
        self.weights = _open_weights(self.policy.weights)
        self.threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="variants")
        self.waiting: set[Future[Any]] = set()
        rows = pb_utils.MetricFamily(
            name="seawall_routed_rows_total",
            description="Rows by the variant that answered and why; all but 'picked' are fallbacks",
            kind=pb_utils.MetricFamily.COUNTER,
        )
        self.family = rows
        self.counters: dict[tuple[str, str], Any] = {}

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        deadline = time.monotonic() + self.settings.budget_s
        ids = [request.request_id() or uuid.uuid4().hex for request in requests]
        given = [
            {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs}
            for request in requests
        ]
        picks = [self._picks(each, ids[number]) for number, each in enumerate(given)]
        parts = [part for number, rows in enumerate(picks) for part in self._parts(number, rows)]
        started = {
            number: self._start(part, given[part.request], ids[part.request])
            for number, part in enumerate(parts)
            if part.arm != self.settings.default
        }
        answers: dict[int, Mapping[str, Any]] = {}
        reasons = dict.fromkeys(range(len(parts)), PICKED)
        failed: dict[int, str] = {}
        # The default variant's own rows first: meanwhile the others work.
        for number in sorted(range(len(parts)), key=lambda number: number in started):
            part = parts[number]
            if number in started:
                try:
                    answers[number] = self._collect(started[number], deadline)
                    continue
                except VariantError as error:
                    reasons[number] = f"fallback: {error}"
            try:
                answers[number] = self._ask(self.settings.default, part, given[part.request], ids[part.request])
            except VariantError as error:
                failed[part.request] = f"{self.settings.default}: {error}"
        return [
            self._response(number, picks[number], ids[number], parts, answers, reasons, failed.get(number))
            for number in range(len(requests))
        ]

    def finalize(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)

    def _picks(self, given: Mapping[str, Any], request: str) -> list[Pick]:
        count = len(next(iter(given.values())))
        return [self._pick(given, request, row) for row in range(count)]

    def _pick(self, given: Mapping[str, Any], request: str, row: int) -> Pick:
        values: dict[str, float] = {}
        try:
            for feature in self.policy.features:
                values[feature.name] = float(given[feature.input][row].reshape(-1)[feature.index])
            if not all(np.isfinite(value) for value in values.values()):
                raise ValueError("a feature is no finite number")
            chances = propensities(self._probabilities(values), self.settings.explore)
        except Exception as error:  # whatever the policy raises, the default variant answers
            pb_utils.Logger.log_warn(f"the router could not pick: {type(error).__name__}: {error}")
            return Pick(None, None, {})
        arm = pick(chances, request, row)
        return Pick(arm, chances[arm], values)

    def _probabilities(self, values: Mapping[str, float]) -> dict[str, float]:
        if self.weights is None:
            return {arm: float(arm == self.settings.default) for arm in self.policy.arms}
        return dict(zip(self.policy.arms, self.weights.predict(example(values, self.policy.arms)), strict=True))

    def _parts(self, request: int, picks: Sequence[Pick]) -> list[Part]:
        rows: dict[tuple[str, bool], list[int]] = {}
        for number, picked in enumerate(picks):
            rows.setdefault((picked.arm or self.settings.default, picked.arm is None), []).append(number)
        return [Part(request, arm, found) for (arm, _), found in rows.items()]

    def _start(self, part: Part, given: Mapping[str, Any], request: str) -> Future[Mapping[str, Any]] | None:
        self.waiting = {call for call in self.waiting if not call.done()}
        if len(self.waiting) >= CALLS_AT_ONCE:
            return None
        call = self.threads.submit(self._ask, part.arm, part, given, request)
        self.waiting.add(call)
        return call

    def _collect(self, call: Future[Mapping[str, Any]] | None, deadline: float) -> Mapping[str, Any]:
        if call is None:
            raise VariantError("too many calls hang")
        try:
            return call.result(max(0.0, deadline - time.monotonic()))
        except FutureTimeoutError:
            call.cancel()
            raise VariantError(f"late, after {self.settings.budget_s * 1000:.0f} ms") from None

    def _ask(self, arm: str, part: Part, given: Mapping[str, Any], request: str) -> Mapping[str, Any]:
        rows = np.asarray(part.rows)
        try:
            answer = pb_utils.InferenceRequest(
                model_name=self.settings.arms[arm],
                request_id=request,
                requested_output_names=self.outputs,
                inputs=[pb_utils.Tensor(name, np.ascontiguousarray(given[name][rows])) for name in self.inputs],
                preferred_memory=pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_CPU, 0),
            ).exec()
        except Exception as error:  # a model that is not there is an exception, not an answer
            raise VariantError(_short(error)) from error
        if answer.has_error():
            raise VariantError(_short(answer.error().message()))
        arrays = {}
        for name in self.outputs:
            tensor = pb_utils.get_output_tensor_by_name(answer, name)
            if tensor is None:
                raise VariantError(f"no output {name}")
            arrays[name] = tensor.as_numpy()
        if any(len(array) != len(part.rows) for array in arrays.values()):
            raise VariantError(f"answers for another number of rows than {len(part.rows)}")
        return arrays

    def _response(
        self,
        number: int,
        picks: Sequence[Pick],
        request: str,
        parts: Sequence[Part],
        answers: Mapping[int, Mapping[str, Any]],
        reasons: Mapping[int, str],
        failed: str | None,
    ) -> pb_utils.InferenceResponse:
        own = [place for place, part in enumerate(parts) if part.request == number]
        told: dict[int, tuple[str, str]] = {}
        for place in own:
            for row in parts[place].rows:
                reason = reasons[place] if picks[row].arm is not None else "fallback: the router failed"
                answered = parts[place].arm if reason == PICKED else self.settings.default
                told[row] = (answered, reason)
        self._log(picks, request, told, failed)
        if failed is not None:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"no variant answers: {failed}"))
        try:
            order = np.argsort(np.concatenate([np.asarray(parts[place].rows) for place in own]))
            tensors = [
                pb_utils.Tensor(name, np.concatenate([answers[place][name] for place in own])[order])
                for name in self.outputs
            ]
        except ValueError as error:
            return pb_utils.InferenceResponse(
                error=pb_utils.TritonError(f"the variants' answers do not fit: {error}")
            )
        for name, place in ((VARIANT, 0), (REASON, 1)):
            texts = [[told[row][place].encode()] for row in range(len(picks))]
            tensors.append(pb_utils.Tensor(name, np.array(texts, dtype=np.object_)))
        return pb_utils.InferenceResponse(output_tensors=tensors)

    def _log(
        self, picks: Sequence[Pick], request: str, told: Mapping[int, tuple[str, str]], failed: str | None
    ) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        for row, picked in enumerate(picks):
            answered, reason = told[row] if failed is None else ("none", f"failed: {failed}")
            self._count(answered, reason.partition(":")[0])
            text = line(
                picked,
                request=request,
                row=row,
                answered=answered,
                reason=reason,
                policy=self.policy.version,
                logged=self.settings.logged,
                time=now,
            )
            # One write for each line: lines of several processes then do not mix in the container's log.
            os.write(1, f"{json.dumps(text)}\n".encode())

    def _count(self, answered: str, reason: str) -> None:
        if (answered, reason) not in self.counters:
            labels = {"variant": answered, "reason": reason}
            self.counters[answered, reason] = self.family.Metric(labels=labels)
        self.counters[answered, reason].increment(1)


def _open_weights(weights: Path | None) -> Any:
    if weights is None:
        return None
    from vowpalwabbit import Workspace  # pyright: ignore[reportMissingImports]  # only where there is a policy

    return Workspace(f"--testonly --quiet --initial_regressor {weights}")


def _short(error: object) -> str:
    return " ".join(str(error).split())[:200]
