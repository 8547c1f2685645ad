"""A model repository as it was read, and what a problem with it is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from common.errors import UserError

_SCRIPT: Final = Path(__file__).with_name("inspecting.py")
_TIMEOUT_S: Final = 300
ANY_VERSION: Final = "-1"


@dataclass(frozen=True, order=True)
class Problem:
    """Something that a server would refuse, or serve wrongly."""

    file: str
    """Relative to the repository."""
    field: str
    what: str
    remedy: str

    def to_json(self) -> dict[str, str]:
        """As `--json` prints it."""
        return asdict(self)


@dataclass(frozen=True)
class Tensor:
    """An input or output; `dims` as the configuration has them, without the batch."""

    name: str
    type: str
    dims: tuple[int, ...]

    def fits(self, other: Tensor) -> bool:
        """Whether one can be handed on as the other: -1 is any size."""
        return self.type == other.type and fit(self.dims, other.dims)


def fit(ours: Sequence[int], theirs: Sequence[int]) -> bool:
    """Whether two shapes can be the same."""
    return len(ours) == len(theirs) and all(a == b or -1 in (a, b) for a, b in zip(ours, theirs, strict=True))


@dataclass(frozen=True)
class Model:
    """One folder of the repository."""

    name: str
    config: Mapping[str, Any]
    files: Mapping[str, int]
    """Path → bytes."""
    folders: tuple[str, ...]
    graphs: Mapping[str, Mapping[str, Any]]
    """ONNX files: what they take and give, or `error`."""
    error: str = ""
    """Why the configuration cannot be read."""

    @property
    def config_file(self) -> str:
        return f"{self.name}/config.pbtxt"

    @property
    def is_ensemble(self) -> bool:
        return self.config.get("platform") == "ensemble" or "ensemble_scheduling" in self.config

    @property
    def max_batch_size(self) -> int:
        return int(self.config.get("max_batch_size", 0))

    def tensors(self, kind: str) -> dict[str, Tensor]:
        """`input` or `output`, by name."""
        return {
            str(t.get("name", "")): Tensor(
                str(t.get("name", "")),
                str(t.get("data_type", "TYPE_INVALID")),
                tuple(int(d) for d in t.get("dims", ())),
            )
            for t in self.config.get(kind, ())
        }

    @property
    def versions(self) -> tuple[str, ...]:
        """Folders that Triton takes for versions."""
        return tuple(name for name in self.folders if name.isdigit() and not name.startswith("0"))

    def at(self, field: str, what: str, remedy: str) -> Problem:
        """A problem of the configuration."""
        return Problem(self.config_file, field, what, remedy)


def read_repository(folder: Path, python: Path) -> dict[str, Model]:
    """The models of a repository, by name.

    Args:
        python: the serving environment's interpreter.

    Raises:
        UserError: it is no folder of models, or the script does not run.
    """
    if not folder.is_dir():
        raise UserError(
            "there is no such folder", str(folder), "Name the folder that holds one folder for each model."
        )
    if not any(path.is_dir() for path in folder.iterdir()):
        raise UserError(
            "the folder holds no model", str(folder), "Name the folder that holds one folder for each model."
        )
    try:
        run = subprocess.run(
            [python, "-I", _SCRIPT, folder.resolve()], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
        told: Mapping[str, Mapping[str, Any]] = json.loads(run.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise UserError(
            f"the repository cannot be read: {str(said).strip()[-300:]}",
            str(folder),
            "Make its files readable; if it says so again, remove the cached serving environment.",
        ) from error
    return {
        name: Model(
            name, each.get("config", {}), each["files"], tuple(each["folders"]), each["graphs"], each.get("error", "")
        )
        for name, each in told.items()
    }
