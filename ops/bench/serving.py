"""Measures the served ensemble: beside its classifier alone, with batches and without, and its first answer.

All on this machine's processor, with a real Redis behind the lookup; what a GPU makes of the classifier is not
measured.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from common.console import Steps
from common.errors import UserError
from common.gcp_api import GcpApi
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.vocabulary import Cloud
from localcloud.front import StackPlace, TritonServer, build_emulator, ensure_serving_environment
from ops.bench.fetching import fetch_into, published, served
from ops.bench.measure import in_turns, timed
from ops.bench.model import Result, Sample, Series, Target, speed_of
from ops.features.rows import load_rows
from ops.features.store import FeatureStore, serving_variables, write_rows
from ops.models.command import default_repository
from ops.serving.golden import ask_http, load_golden

NEAR: Final = Target("at most", 1.5, "×")
NOT_SLOWER: Final = Target("at least", 1, "×")
NO_LATER: Final = Target("at most", 1, "×")
REQUESTS: Final = 400
IN_FLIGHT: Final = 32
SECONDS: Final = 3.0
PERCENT: Final = 99
_LOAD: Final = Path(__file__).with_name("serving_load.py")
_PLACE: Final = StackPlace("bench", "europe-west3", "europe-west1", "seawall-bench")


@dataclass(frozen=True)
class Place:
    """Where servers find their features."""

    python: Path
    variables: Mapping[str, str]
    folder: Path

    def server(self, repository: Path) -> TritonServer:
        """A server over a repository, not yet started."""
        return TritonServer(repository, self.python, self.variables, log=self.folder / "triton.log", identity={})

    def ask(self, server: TritonServer, **job: Any) -> Any:
        """What the load script says."""
        goldens = [{"entity_id": p.entity_id, "measurements": p.measurements} for p in load_golden().predictions]
        asked = json.dumps({"address": server.grpc_address, "goldens": goldens, **job})
        run = subprocess.run(
            [self.python, "-I", _LOAD], input=asked, capture_output=True, text=True, check=False, timeout=300
        )
        if run.returncode:
            raise UserError(f"the load ended: {run.stderr.strip()[-300:]}", str(_LOAD), "Run the bench again.")
        return json.loads(run.stdout)


def measure_serving(repeats: int, steps: Steps) -> list[Result]:
    """Latency, throughput, and the time to a first prediction."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
        variables = stack.enter_context(_features(folder))
        place = Place(ensure_serving_environment(steps), variables, folder)
        return [*_latency(place, repeats), _throughput(place, repeats), _first_prediction(place, repeats)]


def _latency(place: Place, repeats: int) -> Iterator[Result]:
    taken: dict[str, list[Sample]] = {"classifier": [], "with lookup": [], "without lookup": []}
    with place.server(default_repository()) as server:
        for _ in range(repeats):
            for case, seconds in place.ask(server, latency=list(taken), requests=REQUESTS).items():
                taken[case].append(Sample(percentile(seconds, PERCENT)))
    series = {case: Series(f"{case}, p{PERCENT}", tuple(samples)) for case, samples in taken.items()}
    for case in ("without lookup", "with lookup"):
        yield Result(
            f"ensemble {case}",
            f"its p{PERCENT} ÷ the classifier's alone",
            series[case].median_s / series["classifier"].median_s,
            NEAR,
            (series[case], series["classifier"]),
        )


def percentile(values: list[float], percent: int) -> float:
    """By the nearest rank: a value that was measured."""
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


def _throughput(place: Place, repeats: int) -> Result:
    alone = Path(shutil.copytree(default_repository(), place.folder / "alone"))
    for config in alone.glob("*/config.pbtxt"):
        config.write_text(without_batching(config.read_text(encoding="utf-8")), encoding="utf-8")
    with place.server(default_repository()) as batched, place.server(alone) as single:

        def run(server: TritonServer) -> Sample:
            told = place.ask(server, throughput="with lookup", in_flight=IN_FLIGHT, seconds=SECONDS)
            if told["failed"]:
                raise UserError(f"{told['failed']} requests failed", "the bench's server", "Read its log.")
            return Sample(told["seconds"] / told["answered"])

        sides = {"batched": lambda: run(batched), "one by one": lambda: run(single)}
        ours, plain = in_turns(sides, repeats)
    compared = f"requests/s with dynamic batching ÷ without, {IN_FLIGHT} in flight"
    return speed_of("throughput, requests of one row", compared, ours, plain, objects=1, size=0, target=NOT_SLOWER)


def without_batching(config: str) -> str:
    """A configuration whose requests run one by one."""
    return re.sub(r"^dynamic_batching \{.*?^\}\n", "", config, flags=re.MULTILINE | re.DOTALL)


def _first_prediction(place: Place, repeats: int) -> Result:
    """To a first answer: of a container that starts again beside its release, and of a new pod, which fetches it."""
    goldens = load_golden()
    few = type(goldens)(goldens.model, goldens.tolerance, goldens.predictions[:1])
    bucket = place.folder / "bucket"
    manifest = published(
        Path(shutil.copytree(default_repository(), place.folder / "release", ignore=_COMPILED)), bucket
    )

    def answered(repository: Path) -> None:
        with place.server(repository) as server:
            (answer,) = ask_http(server.http_url, few)
            if answer.error:
                raise UserError(answer.error, str(repository), "Read the server's log.")

    def cold() -> None:
        with tempfile.TemporaryDirectory(dir=place.folder) as folder:
            fetch_into(Path(folder), address, manifest, place.python)
            answered(Path(folder) / "repository")

    kept = Path(shutil.copytree(default_repository(), place.folder / "kept", ignore=_COMPILED))
    with served(bucket) as address:
        sides = {
            "a container that starts again": lambda: timed(lambda: answered(kept)),
            "a new pod": lambda: timed(cold),
        }
        warm, first = in_turns(sides, repeats)
    figure = warm.median_s / first.median_s
    return Result("first prediction", "from start, warm ÷ cold", figure, NO_LATER, (warm, first))


_COMPILED: Final = shutil.ignore_patterns("__pycache__")


@contextmanager
def _features(folder: Path) -> Iterator[Mapping[str, str]]:
    """A Redis over TLS with the golden entities' features, as Memorystore's emulator runs it."""
    scratch = folder / "emulator"
    scratch.mkdir()
    emulator = build_emulator(Cloud.GCP, _PLACE, scratch)
    emulator.start(None)
    try:
        target = emulator.target()
        parent = f"projects/{_PLACE.account}/locations/{_PLACE.region}"
        body = {"tier": "BASIC", "memorySizeGb": 1, "authEnabled": True}
        body["transitEncryptionMode"] = "SERVER_AUTHENTICATION"
        api = GcpApi(target, _PLACE.account)
        api.wait("redis", api.post("redis", f"v1/{parent}/instances", body, {"instanceId": "features"}))
        store = FeatureStore(FeatureStoreKind.REDIS, "features", _PLACE.region, f"{parent}/instances/features", {})
        write_rows(store, target, load_rows(), ttl_hours=24)
        with serving_variables(store, target) as variables:
            yield variables
    finally:
        emulator.stop()
