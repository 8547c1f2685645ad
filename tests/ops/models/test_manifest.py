"""The manifest: the same files give the same bytes, and nothing but a repository gets one."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from common.errors import UserError
from ops.models.manifest import Manifest, ManifestFile, build_manifest, check_version

MakeRepository = Callable[..., Path]

names = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1, max_size=12
).filter(lambda name: not name.startswith(".") and name != "__pycache__")
contents = st.dictionaries(names, st.binary(max_size=50), min_size=1, max_size=5)


def write(root: Path, files: dict[str, bytes]) -> None:
    (root / "model" / "1").mkdir(parents=True)
    (root / "model" / "config.pbtxt").write_bytes(b"")
    for name, content in files.items():
        (root / "model" / "1" / name).write_bytes(content)


@given(contents)
def test_the_order_in_which_files_are_written_makes_no_difference(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        write(Path(one), files)
        write(Path(two), dict(reversed(files.items())))
        assert build_manifest(Path(one), "1.0.1").to_json() == build_manifest(Path(two), "1.0.1").to_json()


@given(contents)
def test_a_manifest_is_read_back_as_it_was_written(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), files)
        manifest = build_manifest(Path(folder), "1.0.1")
    assert Manifest.from_json(manifest.to_json(), "here") == manifest


@given(contents, st.binary(min_size=1, max_size=10))
def test_any_other_content_gives_another_manifest(files: dict[str, bytes], more: bytes) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        write(Path(one), files)
        name = next(iter(files))
        write(Path(two), files | {name: files[name] + more})
        assert build_manifest(Path(one), "1.0.1").sha256 != build_manifest(Path(two), "1.0.1").sha256


@given(st.binary(max_size=300))
def test_what_is_no_manifest_is_a_plain_error(data: bytes) -> None:
    with pytest.raises(UserError):
        Manifest.from_json(data, "here")


@given(st.integers(min_value=0, max_value=400))
def test_a_truncated_manifest_is_a_plain_error(length: int) -> None:
    whole = Manifest(
        version="1.0.1",
        files=(ManifestFile(path="m/config.pbtxt", size=1, sha256="0" * 64, model="m", model_version=None),),
    ).to_json()
    if length < len(whole) - 1:  # without its last line break it is still whole
        with pytest.raises(UserError):
            Manifest.from_json(whole[:length], "here")


def test_each_file_has_its_size_digest_and_model_version(make_repository: MakeRepository) -> None:
    found = {file.path: file for file in build_manifest(make_repository("one"), "1.0.1").files}
    assert found["first/1/model.py"] == ManifestFile(
        path="first/1/model.py",
        size=3,
        sha256=hashlib.sha256(b"one").hexdigest(),
        model="first",
        model_version=1,
    )
    assert found["first/config.pbtxt"].model_version is None


def test_hidden_files_and_caches_stay_behind(make_repository: MakeRepository) -> None:
    root = make_repository()
    before = build_manifest(root, "1.0.1")
    (root / "first" / "1" / "__pycache__").mkdir()
    (root / "first" / "1" / "__pycache__" / "model.pyc").write_bytes(b"")
    (root / ".DS_Store").write_bytes(b"")
    assert build_manifest(root, "1.0.1") == before


@pytest.mark.parametrize("path", ["../up", "a/../b", "/abs", "a//b", "a/./b", "", "a\\b", "a/\n", "a/"])
def test_a_path_that_leaves_the_repository_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        ManifestFile(path=path, size=0, sha256="0" * 64, model="m", model_version=None)


@pytest.mark.parametrize("version", ["", "V1", "a/b", "..", ".v1", "v 1", "v" * 64])
def test_what_cannot_be_a_key_cannot_name_a_release(version: str) -> None:
    with pytest.raises(UserError):
        check_version(version)


@pytest.mark.parametrize("damage", ["no folder", "empty", "no config", "no version", "stray file", "link"])
def test_what_triton_could_not_load_is_refused(damage: str, make_repository: MakeRepository, tmp_path: Path) -> None:
    root = make_repository()
    match damage:
        case "no folder":
            root = tmp_path / "nowhere"
        case "empty":
            root = tmp_path / "empty"
            root.mkdir()
        case "no config":
            (root / "first" / "config.pbtxt").unlink()
        case "no version":
            (root / "first" / "1" / "model.py").unlink()
        case "stray file":
            (root / "README.md").write_text("")
        case _:
            (root / "first" / "1" / "link").symlink_to(tmp_path)
    with pytest.raises(UserError):
        build_manifest(root, "1.0.1")
