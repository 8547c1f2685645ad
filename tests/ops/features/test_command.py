"""`seawall features`: a file is judged before anything is written, and what is there is compared row by row."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from common.errors import UserError
from common.target import Target
from components.contracts.feature_store import FeatureStoreKind
from ops.features import command, file
from ops.features.loads import loaded, without_note
from ops.features.rows import Row
from ops.features.store import FeatureStore, open_rows


class Kept:
    """Rows in memory, which refuse after so many writes."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.writes = 0
        self.refuse_after = 10**9

    def write(self, rows: Mapping[str, Row]) -> None:
        self.writes += 1
        if self.writes > self.refuse_after:
            raise UserError("the store refused", "a store", "Try again.")
        self.rows |= rows

    def fetch(self, entities: Sequence[str]) -> Mapping[str, Row]:
        return {entity: self.rows[entity] for entity in entities if entity in self.rows}


@pytest.fixture
def store() -> Kept:
    return Kept()


@pytest.fixture
def run(store: Kept, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the command on a stack whose store is in memory, and whose rows expire after two hours."""

    @contextmanager
    def opened(name: str, _target: str, _steps: object, *, writes: bool) -> Iterator[Any]:
        told = SimpleNamespace(entry_ttl_hours=2)
        yield SimpleNamespace(name=name, target=None, outputs=SimpleNamespace(feature_store=told))

    monkeypatch.setattr(command, "open_stack", opened)
    monkeypatch.setattr(command, "open_rows", lambda _store, _target: store)
    monkeypatch.setattr(command, "FeatureStore", SimpleNamespace(of=lambda _outputs: None))
    return lambda *arguments: CliRunner().invoke(command.app, [str(a) for a in arguments], catch_exceptions=False)


def written(path: Path, *rows: Mapping[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def row(entity: str, *features: float, **more: Any) -> dict[str, Any]:
    return {"entity_id": entity, "features": list(features), **more}


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return written(tmp_path / "rows.jsonl", row("a", 1, 2.5), row("b", 3, 4, expires_at=4_000_000_000))


def test_every_row_is_written_with_its_expiry(run: Callable[..., Any], store: Kept, two: Path) -> None:
    assert run("load", two, "dev-aws").exit_code == 0
    assert store.rows["b"] == Row("[3, 4]", 4_000_000_000)
    assert store.rows["a"].expires_at == pytest.approx(time.time() + 2 * 3600, abs=60)


def test_another_time_to_live_is_taken(run: Callable[..., Any], store: Kept, two: Path) -> None:
    run("load", two, "dev-aws", "--ttl-hours", "5")
    assert store.rows["a"].expires_at == pytest.approx(time.time() + 5 * 3600, abs=60)


def test_what_was_loaded_is_found(run: Callable[..., Any], two: Path) -> None:
    run("load", two, "dev-aws")
    result = run("check", two, "dev-aws", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["same"], told["is_whole"]) == (0, 2, True)


def test_each_fault_is_counted_and_named(run: Callable[..., Any], store: Kept, tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", row("same", 1), row("gone", 1), row("other", 1), row("old", 1))
    store.rows = {"same": Row("[1.0]"), "other": Row("[2]"), "old": Row("[1]", 1000)}
    result = run("check", path, "dev-aws")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "1 of 4 rows are in the feature store of dev-aws as in the file",
        "  1 missing: gone",
        "  1 mismatched: other",
        "  1 expired: old",
    ]


def test_a_load_that_is_refused_says_where_to_go_on(run: Callable[..., Any], store: Kept, tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", *(row(f"e{number}", number) for number in range(2500)))
    store.refuse_after = 2
    with pytest.raises(UserError, match=r"2000 of 2500 rows are written; run `.* --skip 2000` to go on"):
        run("load", path, "dev-aws")
    store.refuse_after = 10**9
    result = run("load", path, "dev-aws", "--skip", "2000", "--json")
    assert json.loads(result.stdout)["written"] == 500 and len(without_note(store.rows)) == 2500
    assert loaded(store.rows, 0) == 2500, "what a drill expects to find"


def test_a_load_again_changes_nothing(run: Callable[..., Any], store: Kept, tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", row("a", 1, expires_at=4_000_000_000))
    run("load", path, "dev-aws")
    before = dict(store.rows)
    run("load", path, "dev-aws")
    assert store.rows == before


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", "the file has no rows"),
        ("{", "line 1: it is not JSON"),
        ("[1]", "line 1: it is no object with entity_id and features"),
        ('{"entity_id": "a"}', "line 1: it is no object with entity_id and features"),
        ('{"entity_id": "a", "features": [1], "feature": 1}', "line 1: 'feature' is not known"),
        ('{"entity_id": "", "features": [1]}', "line 1: entity_id is no text"),
        ('{"entity_id": 7, "features": [1]}', "line 1: entity_id is no text"),
        ('{"entity_id": "a", "features": []}', "line 1: features is no list of finite numbers"),
        ('{"entity_id": "a", "features": [true]}', "line 1: features is no list of finite numbers"),
        ('{"entity_id": "a", "features": [NaN]}', "line 1: features is no list of finite numbers"),
        ('{"entity_id": "a", "features": ["1"]}', "line 1: features is no list of finite numbers"),
        ('{"entity_id": "a", "features": [1], "expires_at": "x"}', "line 1: expires_at is no whole number"),
        (
            '{"entity_id": "a", "features": [1]}\n{"entity_id": "b", "features": [1, 2]}',
            "line 2: 2 features, and the",
        ),
        (
            '{"entity_id": "a", "features": [1]}\n\n{"entity_id": "a", "features": [1]}',
            "line 3: the entity 'a' was on",
        ),
    ],
)
def test_a_wrong_file_is_refused_before_anything_is_written(
    run: Callable[..., Any], store: Kept, tmp_path: Path, lines: str, expected: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(lines)
    with pytest.raises(UserError) as caught:
        run("load", path, "dev-aws")
    assert caught.value.what.startswith(expected) and store.writes == 0


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not UTF-8"):
        file.judge(tmp_path / "rows")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        file.judge(tmp_path / "rows")


def test_more_skipped_rows_than_there_are_is_a_mistake(run: Callable[..., Any], two: Path) -> None:
    with pytest.raises(UserError, match="--skip is 3, and the file has 2 rows"):
        run("load", two, "dev-aws", "--skip", "3")


@given(
    st.dictionaries(st.text(min_size=1, max_size=20), st.floats(allow_nan=False, allow_infinity=False), min_size=1)
)
def test_any_row_survives_the_file(tmp_path_factory: pytest.TempPathFactory, rows: Mapping[str, float]) -> None:
    kept = {entity: value for entity, value in rows.items() if entity.strip()}
    if kept:
        path = written(tmp_path_factory.mktemp("rows") / "f", *(row(entity, value) for entity, value in kept.items()))
        assert {e: json.loads(r.features) for e, r in file.rows(path, None)} == {e: [v] for e, v in kept.items()}


def test_a_private_store_that_is_not_reached_says_from_where_it_is() -> None:
    told = {"SEAWALL_FEATURES_HOST": "127.0.0.1", "SEAWALL_FEATURES_PORT": "9", "SEAWALL_FEATURES_GROUP": "g"}
    store = FeatureStore(FeatureStoreKind.VALKEY, "g", "eu-west-1", "g", told, "writer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "x")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "y")
        with pytest.raises(UserError, match="on a machine in the stack's network"):
            open_rows(store, Target("cloud", "real")).fetch(["a"])
