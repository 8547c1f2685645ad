"""Rows as `ops` encodes them are what the image's lookup serves, for every kind of feature store.

The image ships alone, so it repeats the form of a row; this is where the two are held together. Firestore is an
in-memory stand-in behind the real client unless FIRESTORE_EMULATOR_HOST names an emulator; Bigtable is Google's own
emulator, built now unless BIGTABLE_EMULATOR_HOST names one.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import UserError
from common.target import Target
from components.contracts import serving
from components.contracts.feature_store import FeatureStoreKind
from components.gcp.feature_store import firestore
from localcloud.processes.process import free_ports
from localcloud.toolchain import ensure_bigtable_emulator
from ops.features.rows import Row, encode
from ops.features.store import FeatureStore, open_rows

EMULATOR = "BIGTABLE_EMULATOR_HOST"
PROBE = Path(__file__).resolve().parent / "probe.py"
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ENTITIES = st.text(min_size=1, max_size=40).filter(
    lambda text: (text.isprintable() or text.isascii()) and text != serving.SELF_CHECK_ENTITY
) | st.sampled_from([".", "..", "__x__", "a/b", "ä%2F", " ", "features:a"])
ROWS = st.dictionaries(ENTITIES, st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8)


class Probe:
    """The image's lookup in the serving environment, and the rows that it looks up as operators' code has them."""

    def __init__(self, python: Path, folder: Path, kind: FeatureStoreKind, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [str(python), str(PROBE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                **environment,
                serving.FEATURES_KIND: kind,
                "LOOKUP_FOLDER": str(folder),
                serving.FEATURES_TIMEOUT_MS: "5000",
            },
        )
        # As on the real cloud, but for the address: rows go by REST, through the writer that operators use.
        target = Target("cloud", "real", gcp_endpoint_url=self._answer())
        self.rows = open_rows(FeatureStore(kind, "features", "europe-west1", "features", environment), target)

    def lookup(self, entities: Sequence[str]) -> list[tuple[list[float], str]]:
        """Values and outcome for each entity."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"lookup": list(entities)}) + "\n")
        self._process.stdin.flush()
        return [(values, outcome) for values, outcome in self._answer()]

    def close(self) -> None:
        """End the process."""
        with self._process as process:  # closes its pipes too
            process.kill()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        assert answer, "the probe ended; its error is in the captured output"
        return json.loads(answer)


KINDS: Mapping[FeatureStoreKind, Mapping[str, str]] = {
    FeatureStoreKind.BIGTABLE: {
        serving.FEATURES_PROJECT: "seawall-tests",
        serving.FEATURES_INSTANCE: "features",
        serving.FEATURES_TABLE: "features",
    },
    FeatureStoreKind.FIRESTORE: {serving.FEATURES_PROJECT: "seawall-tests", serving.FEATURES_DATABASE: "features"},
}
"""Kinds whose client is in the serving environment alone → what a server is told of them."""


@contextmanager
def bigtable_emulator() -> Iterator[str]:
    """Google's own emulator for the length of a block; its address."""
    try:
        program = ensure_bigtable_emulator()
    except UserError as error:
        pytest.skip(f"no Bigtable emulator: {error.what}")
    (port,) = free_ports(1)
    with subprocess.Popen(
        [str(program), "-host", "127.0.0.1", "-port", str(port)], stdout=subprocess.DEVNULL
    ) as server:
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.kill()


@pytest.fixture(scope="module", params=list(KINDS), ids=str)
def probe(request: pytest.FixtureRequest, image_folder: Path, serving_python: Path) -> Iterator[Probe]:
    """A probe of each kind in turn."""
    environment = dict(KINDS[request.param])
    with ExitStack() as stack:
        if request.param is FeatureStoreKind.BIGTABLE and EMULATOR not in os.environ:
            environment[EMULATOR] = stack.enter_context(bigtable_emulator())
        made = Probe(
            serving_python, image_folder / "model_repository" / "feature_lookup" / "1", request.param, environment
        )
        stack.callback(made.close)
        yield made


@given(rows=ROWS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_operators_write_is_what_is_served_and_read_back(
    probe: Probe, rows: Mapping[str, tuple[float, float]]
) -> None:
    encoded = encode(rows, ttl_hours=1)
    probe.rows.write(encoded)
    assert encoded.items() <= probe.rows.read().items()
    assert probe.rows.fetch([*rows, "nobody"]) == encoded, "what `seawall features check` compares"
    assert probe.lookup(list(rows)) == [(list(values), "found") for values in rows.values()]


def test_an_expired_row_is_not_served_although_it_is_there(probe: Probe) -> None:
    probe.rows.write(encode({"old": (1.0, 2.0)}, ttl_hours=1, now_s=time.time() - 3601))
    assert probe.lookup(["old"]) == [([0.0, 0.0], "expired")]


def test_a_row_without_expiry_is_served(probe: Probe) -> None:
    probe.rows.write(encode({"for ever": (1.0, 2.0)}, ttl_hours=None))
    assert probe.lookup(["for ever"]) == [([1.0, 2.0], "found")]


def test_a_row_that_is_written_over_keeps_nothing_of_the_older(probe: Probe) -> None:
    probe.rows.write(encode({"again": (1.0, 2.0)}, ttl_hours=1, now_s=0))
    probe.rows.write(encode({"again": (3.0, 4.0)}, ttl_hours=None))
    assert probe.lookup(["again"]) == [([3.0, 4.0], "found")]


def test_more_rows_than_a_request_or_a_page_holds_are_written_and_read_back(probe: Probe) -> None:
    many = encode({f"many {number}": (float(number), 0.0) for number in range(1101)}, ttl_hours=None)
    probe.rows.write(many)
    assert many.items() <= probe.rows.read().items()


def test_what_was_never_written_is_missing(probe: Probe) -> None:
    assert probe.lookup(["nobody"]) == [([0.0, 0.0], "missing")]


def test_a_row_of_another_form_is_malformed(probe: Probe) -> None:
    probe.rows.write({"bad": Row('["1", 2]')})
    assert probe.lookup(["bad"]) == [([0.0, 0.0], "malformed")]


def test_the_image_reads_the_collection_that_the_stack_exports(feature_store: ModuleType) -> None:
    assert feature_store.FIRESTORE_COLLECTION == firestore.COLLECTION


@given(rows=ROWS)
def test_the_encoded_text_is_what_the_image_judges_usable(feature_store: ModuleType, rows: Any) -> None:
    for entity, row in encode(rows, ttl_hours=1, now_s=0).items():
        judged = feature_store.judge(feature_store.Row(row.features, row.expires_at), 2, 0.0)
        assert judged == (rows[entity], "found")


@pytest.mark.parametrize("bad", [{"": (1.0,)}, {"a": (float("nan"),)}, {"a": (float("inf"),)}])
def test_what_no_model_can_take_is_never_written(bad: Mapping[str, Sequence[float]]) -> None:
    with pytest.raises(UserError):
        encode(bad, ttl_hours=None)
