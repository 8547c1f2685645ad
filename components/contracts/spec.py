"""The base of all specs, and the form of their refusals."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Spec(BaseModel):
    """Base of all specs: frozen, and no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def refused(message: str, *, allowed: str, remedy: str) -> PydanticCustomError:
    """A refusal that says what is allowed and what to do, for a validator to raise."""
    return PydanticCustomError("refused", "{message}", {"message": message, "allowed": allowed, "remedy": remedy})
