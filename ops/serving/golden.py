"""Asks a serving fleet for the golden predictions, over HTTP or gRPC, and judges the answers."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import requests

from common.errors import UserError
from common.paths import repo_root

DEFAULT_TIMEOUT_S = 10.0
"""For one request: generous beside a latency of some ms, so that a slow machine is no wrong answer."""
RELEASED: Final = "goldens.json"
"""In a release, beside its model's versions: which golden set is its own, as the training script wrote it."""
_GRPC_PROBE = Path(__file__).resolve().parent / "grpc_probe.py"

Protocol = Literal["http", "grpc"]


@dataclass(frozen=True)
class GoldenPrediction:
    """A request, and the answer that training recorded for it."""

    entity_id: str
    measurements: tuple[float, ...]
    probability: float
    label: str


@dataclass(frozen=True)
class GoldenSet:
    """Golden predictions of one model; `tolerance` is the largest accepted difference of a probability."""

    model: str
    tolerance: float
    predictions: tuple[GoldenPrediction, ...]
    sha256: str = ""
    """Of the file."""

    def told(self) -> dict[str, Any]:
        """Which set it is, as a release says it in `RELEASED`."""
        return {"sha256": self.sha256, "predictions": len(self.predictions), "tolerance": self.tolerance}


@dataclass(frozen=True)
class Answer:
    """What a server answered to one request; `error` set instead of the rest if it did not."""

    seconds: float
    probability: float = math.nan
    label: str = ""
    features_source: str = ""
    error: str | None = None


@dataclass(frozen=True)
class Mismatch:
    """A request that was not answered as recorded, and why."""

    entity_id: str
    reason: str


@dataclass(frozen=True)
class Latency:
    """Percentiles in milliseconds, over all answered requests, measured at the client."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class GoldenResult:
    """The judgement over one run. `max_abs_error` is None if nothing was answered."""

    protocol: Protocol
    requests: int
    errors: int
    max_abs_error: float | None
    latency: Latency | None
    mismatches: tuple[Mismatch, ...]

    @property
    def passed(self) -> bool:
        return self.requests > 0 and not self.mismatches

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "passed": self.passed}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> GoldenResult:
        """What `to_json` told."""
        return cls(
            told["protocol"],
            told["requests"],
            told["errors"],
            told["max_abs_error"],
            Latency(**told["latency"]) if told["latency"] else None,
            tuple(Mismatch(**mismatch) for mismatch in told["mismatches"]),
        )


def golden_file() -> Path:
    """The goldens that the training script wrote."""
    return repo_root() / "serving_image" / "golden" / "predictions.json"


def load_golden(path: Path | None = None) -> GoldenSet:
    """Reads a golden set.

    Raises:
        UserError: the file is missing, truncated or holds no predictions.
    """
    path = path or golden_file()
    try:
        written = path.read_bytes()
        data = json.loads(written)
        golden = GoldenSet(
            str(data["model"]),
            float(data["tolerance"]),
            tuple(
                GoldenPrediction(
                    str(item["entity_id"]),
                    tuple(float(value) for value in item["measurements"]),
                    float(item["probability"]),
                    str(item["label"]),
                )
                for item in data["predictions"]
            ),
            hashlib.sha256(written).hexdigest(),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"the golden predictions cannot be read: {type(error).__name__}: {error}",
            str(path),
            "Write them anew with serving_image/train.py, or restore the file from version control.",
        ) from error
    odd = next((each for each in golden.predictions if not 0 <= each.probability <= 1), None)
    if odd:
        raise UserError(
            f"the golden of {odd.entity_id} has the probability {odd.probability}",
            str(path),
            "Write them anew with serving_image/train.py.",
        )
    if not golden.predictions or not golden.tolerance > 0:
        raise UserError(
            "there are no golden predictions to compare", str(path), "Write them with serving_image/train.py."
        )
    return golden


def ask_http(url: str, golden: GoldenSet, timeout_s: float = DEFAULT_TIMEOUT_S) -> list[Answer]:
    """Sends every golden request to `url` (e.g. `http://127.0.0.1:8000`), one after the other."""
    with requests.Session() as session:
        session.trust_env = False  # a fleet is reached directly or through a tunnel, never through a web proxy
        return [_ask_http(session, url, golden.model, wanted, timeout_s) for wanted in golden.predictions]


def _ask_http(session: requests.Session, url: str, model: str, wanted: GoldenPrediction, timeout_s: float) -> Answer:
    body = {
        "inputs": [
            {"name": "entity_id", "datatype": "BYTES", "shape": [1, 1], "data": [wanted.entity_id]},
            {
                "name": "measurements",
                "datatype": "FP32",
                "shape": [1, len(wanted.measurements)],
                "data": list(wanted.measurements),
            },
        ]
    }
    started = time.perf_counter()
    try:
        response = session.post(f"{url}/v2/models/{model}/infer", json=body, timeout=timeout_s)
        seconds = time.perf_counter() - started
        if not response.ok:
            return Answer(seconds, error=f"HTTP {response.status_code}: {response.text[:300]}")
        given = {output["name"]: output["data"][0] for output in response.json()["outputs"]}
        return Answer(seconds, float(given["probability"]), str(given["label"]), str(given["features_source"]))
    except (requests.RequestException, ValueError, KeyError, IndexError, TypeError) as error:
        return Answer(time.perf_counter() - started, error=f"{type(error).__name__}: {error}"[:300])


def ask_grpc(address: str, golden: GoldenSet, python: Path, timeout_s: float = DEFAULT_TIMEOUT_S) -> list[Answer]:
    """Sends every golden request to `address` (`host:port`) with NVIDIA's own client.

    That client and Pulumi's packages disagree on protobuf, so it runs in the serving environment, `python`.

    Raises:
        UserError: the client itself does not run. An answer that did not come is an `Answer` with an error.
    """
    request = {
        "address": address,
        "model": golden.model,
        "timeout_s": timeout_s,
        "requests": [
            {"entity_id": wanted.entity_id, "measurements": wanted.measurements} for wanted in golden.predictions
        ],
    }
    try:
        probe = subprocess.run(
            [python, "-I", _GRPC_PROBE],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=30 + timeout_s * len(golden.predictions),
            check=True,
        )
        return [Answer(**answer) for answer in json.loads(probe.stdout)]
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise UserError(
            f"the gRPC client does not run: {str(said).strip()[-400:]}",
            str(python),
            "Remove the cached serving environment, so that it is built anew.",
        ) from error


def judge(protocol: Protocol, golden: GoldenSet, answers: Sequence[Answer]) -> GoldenResult:
    """Compares answers with the recorded ones, in order. A missing answer is an error."""
    pairs = [
        (wanted, answers[index] if index < len(answers) else Answer(math.nan, error="no answer"))
        for index, wanted in enumerate(golden.predictions)
    ]
    answered = [(wanted, answer) for wanted, answer in pairs if answer.error is None]
    differences = [abs(answer.probability - wanted.probability) for wanted, answer in answered]
    judged = ((wanted, mismatch_reason(wanted, answer, golden.tolerance)) for wanted, answer in pairs)
    return GoldenResult(
        protocol,
        len(pairs),
        len(pairs) - len(answered),
        max(differences, default=None),
        latency([answer.seconds for _, answer in answered]),
        tuple(Mismatch(wanted.entity_id, reason) for wanted, reason in judged if reason is not None),
    )


def mismatch_reason(wanted: GoldenPrediction, answer: Answer, tolerance: float) -> str | None:
    """Why the answer is not the recorded one; None if it is.

    An answer from fallback features is never the recorded one, even where it comes close.
    """
    if answer.error is not None:
        return f"no answer: {answer.error}"
    if answer.features_source != "store":
        return f"features came from {answer.features_source!r}, not from the store"
    difference = abs(answer.probability - wanted.probability)
    if not difference <= tolerance:  # so that NaN counts as different
        return f"probability {answer.probability:.7f} differs from {wanted.probability:.7f} by {difference:.2g}"
    if answer.label != wanted.label:
        return f"label {answer.label!r} instead of {wanted.label!r}"
    return None


def latency(seconds: Iterable[float]) -> Latency | None:
    """Percentiles by the nearest-rank method: each is a latency that was measured."""
    ordered = sorted(seconds)
    if not ordered:
        return None

    def rank(percent: int) -> float:
        return round(ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)] * 1000, 3)

    return Latency(rank(50), rank(95), rank(99))
