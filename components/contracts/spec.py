"""The base of all specs, and the form of their refusals."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Spec(BaseModel):
    """Base of all specs: frozen, and no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def refused(message: str, *, allowed: str, remedy: str) -> PydanticCustomError:
    """A refusal that says what is allowed and what to do, for a validator to raise."""
    return PydanticCustomError("refused", "{message}", {"message": message, "allowed": allowed, "remedy": remedy})


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
