"""The manifest of a model release: every file with its size and SHA-256, as deterministic JSON."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from common.errors import UserError
from components.contracts.model_versions import RELEASE_REMEDY, is_release
from ops.objects.store import file_sha256

_PATH_PART = re.compile(r"^(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]+$")
_IGNORED_FOLDERS = ("__pycache__",)
_READABLE = r"^[a-z0-9][a-z0-9._-]{0,62}$"
"""What a release in a bucket may be called: those from before versions had a form can be read, and gone back to."""


class ManifestFile(BaseModel):
    """One file of a model repository."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    """Relative to the repository, with `/`."""
    size: int = Field(ge=0)
    """In bytes."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    model: str
    model_version: int | None
    """The version folder that the file lies in; None for a model's configuration."""

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        if not all(_PATH_PART.match(part) for part in path.split("/")):
            raise ValueError(f"{path!r} is not a path inside a repository")
        return path


class Manifest(BaseModel):
    """What a release consists of. The same files and version give the same bytes, wherever it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    version: Annotated[str, Field(pattern=_READABLE)]
    files: tuple[ManifestFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_ordered(self) -> Manifest:
        paths = [file.path for file in self.files]
        if paths != sorted(set(paths)):
            raise ValueError("files must be in the order of their paths, each once")
        return self

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file.size for file in self.files)

    @property
    def sha256(self) -> str:
        """Of the manifest's own bytes (hex): it stands for the whole release."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        return (self.model_dump_json(indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes, where: str) -> Manifest:
        """Reads a manifest.

        Raises:
            UserError: it is truncated, or not a manifest.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise UserError(
                f"the manifest cannot be read: {first['msg']} at {'.'.join(map(str, first['loc'])) or 'the top'}",
                where,
                "Publish the release under another version, and roll back to one that verifies.",
            ) from error


def check_version(version: str) -> str:
    """The version itself, if it can name a release that was published.

    Raises:
        UserError: it cannot.
    """
    if not re.fullmatch(_READABLE, version):
        raise UserError(f"{version!r} cannot name a release", "--version", RELEASE_REMEDY)
    return version


def check_new_version(version: str) -> str:
    """The version itself, if a release may be published under it.

    Raises:
        UserError: it is not major.minor.pipeline.
    """
    if not is_release(version):
        raise UserError(f"{version!r} cannot name a release", "--version", RELEASE_REMEDY)
    return version


def build_manifest(folder: Path, version: str) -> Manifest:
    """The manifest of the model repository in `folder`; hidden files and Python's caches are left out.

    Raises:
        UserError: the folder is no model repository, or holds what an object store cannot.
    """
    check_new_version(version)
    if not folder.is_dir():
        raise UserError("there is no such folder", str(folder), "Name the model repository with --from.")
    files = tuple(
        _manifest_file(folder, path)
        for path in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).as_posix())
        if _belongs(path.relative_to(folder)) and _is_file(path)
    )
    _check_layout(folder, files)
    return Manifest(version=version, files=files)


def _belongs(relative: Path) -> bool:
    return not any(part.startswith(".") or part in _IGNORED_FOLDERS for part in relative.parts)


def _is_file(path: Path) -> bool:
    if path.is_symlink():
        raise UserError(
            "a model repository must not hold symbolic links", str(path), "Put the file itself in its place."
        )
    return path.is_file()


def _manifest_file(folder: Path, path: Path) -> ManifestFile:
    relative = path.relative_to(folder).as_posix()
    parts = relative.split("/")
    version = int(parts[1]) if len(parts) > 2 and parts[1].isdigit() else None
    try:
        return ManifestFile(
            path=relative,
            size=path.stat().st_size,
            sha256=file_sha256(path),
            model=parts[0],
            model_version=version,
        )
    except ValidationError as error:
        raise UserError(
            "a file's name cannot be an object's key", repr(str(path)), "Rename it without control characters."
        ) from error


def _check_layout(folder: Path, files: tuple[ManifestFile, ...]) -> None:
    """Raises UserError unless every top-level folder is a model that Triton can load."""
    remedy = (
        "a model is MODEL/config.pbtxt with at least one file in MODEL/<number>/; see serving_image/model_repository"
    )
    if not files:
        raise UserError("the folder holds no model", str(folder), remedy)
    for file in files:
        if "/" not in file.path:
            raise UserError("a file lies beside the models", str(folder / file.path), remedy)
    for model in sorted({file.model for file in files}):
        own = [file for file in files if file.model == model]
        if f"{model}/config.pbtxt" not in {file.path for file in own}:
            raise UserError(f"the model {model!r} has no config.pbtxt", str(folder / model), remedy)
        if all(file.model_version is None for file in own):
            raise UserError(f"the model {model!r} has no version", str(folder / model), remedy)
