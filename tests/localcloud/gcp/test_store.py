"""The emulator's documents outlive the process, and a broken file is said to be one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from localcloud.gcp.store import DocumentStore

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), st.dictionaries(st.text(), _JSON, max_size=3), max_size=4))
def test_a_saved_copy_holds_every_document(
    tmp_path_factory: pytest.TempPathFactory, documents: dict[str, dict[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = DocumentStore(folder / "a")
    for name, document in documents.items():
        store.put("kind", name, document)
    store.save(folder / "b")
    store.close()
    copy = DocumentStore(folder / "b")
    found = dict(copy.all("kind"))
    copy.close()
    assert found == documents


def test_a_deleted_document_is_gone_from_the_file_too(tmp_path: Path) -> None:
    store = DocumentStore(tmp_path / "a")
    store.put("kind", "x", {})
    store.delete("kind", "x")
    store.close()
    again = DocumentStore(tmp_path / "a")
    found = again.get("kind", "x")
    again.close()
    assert found is None


def test_a_file_that_is_no_store_is_a_users_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"not a database" * 100)
    with pytest.raises(UserError, match="cannot be read"):
        DocumentStore(tmp_path / "a")
