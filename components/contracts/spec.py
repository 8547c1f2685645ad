"""The base of all specs, and the form of their refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


class Spec(BaseModel):
    """Base of all specs: frozen, and no key that is not declared."""

    moved: ClassVar[Mapping[str, str]] = {}
    """Keys that settings had here once → where they stand now, below the same section."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def refused(message: str, *, allowed: str, remedy: str) -> PydanticCustomError:
    """A refusal that says what is allowed and what to do, for a validator to raise."""
    return PydanticCustomError("refused", "{message}", {"message": message, "allowed": allowed, "remedy": remedy})


def _in_words(text: str) -> str:
    if len(set(re.findall(r"[^\W\d_]{2,}", text.lower()))) < _REASON_WORDS:
        raise refused(
            f"the reason {text!r} has fewer than {_REASON_WORDS} different words",
            allowed="a sentence that an auditor can use",
            remedy="Say why, in words.",
        )
    return text


_REASON_WORDS = 3
Reason = Annotated[str, Field(min_length=20, max_length=300), AfterValidator(_in_words)]
"""Why something that is safe by default is given up here; reports print it."""


def check_order(fewest: str, low: int, most: str, high: int) -> None:
    """Refuse a pair of bounds, named `fewest` and `most`, of which the lower is more than the upper.

    Raises:
        PydanticCustomError: for a validator to let through.
    """
    if low > high:
        raise refused(
            f"{fewest} is {low}, more than {most}, which is {high}",
            allowed=f"{fewest} at most {most}",
            remedy=f"Lower {fewest}, or raise {most}.",
        )


def check_each_once(field: str, values: Sequence[str]) -> None:
    """Refuse a list, named `field`, that has a value twice.

    Raises:
        PydanticCustomError: for a validator to let through.
    """
    if len(set(values)) < len(values):
        raise refused(
            f"{field} is {', '.join(values)}, with one of them twice",
            allowed="values that differ",
            remedy="Name each once.",
        )


def check_member(field: str, value: str, known: Sequence[str]) -> None:
    """Refuse a value, of the setting `field`, that is none of the names in `known`.

    Raises:
        PydanticCustomError: for a validator to let through.
    """
    if value not in known:
        raise refused(f"{field} names {value!r}", allowed=", ".join(known), remedy="Name one of these.")
