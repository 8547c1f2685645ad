"""How a model's releases are named and ordered: major.minor.pipeline, as 1.0.1; the only parser of such names.

Major: clients must change, because inputs, outputs or their meaning did. Minor: the model is another one, and clients
need not change. Pipeline: the same model, made once more, as from fresh data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

NUMBER: Final = r"(0|[1-9][0-9]{0,8})"
RELEASE_PATTERN: Final = rf"^{NUMBER}\.{NUMBER}\.{NUMBER}$"
"""What a release of the model repository may be called."""
FIRST_RELEASE: Final = "1.0.1"
"""What a first release is called where nobody says otherwise."""
RELEASE_REMEDY: Final = "Write three numbers without leading zeros, major.minor.pipeline, as 1.0.1."

_WHOLE: Final = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}", re.ASCII)


@dataclass(frozen=True, order=True)
class ModelVersion:
    """A release's name; later ones are greater."""

    major: int
    minor: int
    pipeline: int

    @classmethod
    def parse(cls, text: str) -> ModelVersion:
        """The version that `text` names.

        Raises:
            ValueError: it names none.
        """
        found = _WHOLE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not major.minor.pipeline")
        return cls(*map(int, found.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.pipeline}"


def is_release(text: str) -> bool:
    """Whether `text` can name a release."""
    return _WHOLE.fullmatch(text) is not None


def release_order(name: str) -> tuple[bool, ModelVersion | str]:
    """What sorts the releases that lie in a bucket, oldest first.

    A name that is no version was given before versions were asked for: it comes before all that are.
    """
    return (True, ModelVersion.parse(name)) if is_release(name) else (False, name)
