"""The runbook takes from a stack's outputs what a stack puts out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from common.paths import repo_root
from stacks.outputs import StackOutputs

TAKEN = re.compile(r"^[A-Z_]+=… +# ([a-z_.]+)(?:,|$)", re.MULTILINE)
"""A line as `VAULT=…  # backup.vault, a bucket`."""
PART = re.compile(r"<([a-z_.]+)>")


def named() -> Iterator[str]:
    """Every output that the runbook names."""
    text = (repo_root() / "docs" / "recovery.md").read_text(encoding="utf-8")
    yield from TAKEN.findall(text)
    yield from (part for line in re.findall(r"^[A-Z_]+=… +# .*", text, re.MULTILINE) for part in PART.findall(line))


def declares(path: str) -> bool:
    """Whether the model has a value at a dotted path."""
    model: object = StackOutputs
    for name in path.split("."):
        if not (isinstance(model, type) and issubclass(model, BaseModel)) or name not in model.model_fields:
            return False
        model = model.model_fields[name].annotation
    return True


def test_the_runbook_takes_values_from_the_outputs() -> None:
    assert {"backup.vault", "feature_store.name", "keys.recovery.id"} <= set(named())


@pytest.mark.parametrize("path", sorted(set(named())))
def test_an_output_that_the_runbook_names_is_put_out(path: str) -> None:
    assert declares(path)


@pytest.mark.parametrize("path", ["backup.valut", "feature_store.name.first", "vault"])
def test_a_name_that_is_no_output_is_found(path: str) -> None:
    assert not declares(path)
