"""A fleet serves what a named publisher signed; only a development stack may do without, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stacks.settings import Settings, SettingsError

Values = Callable[[str], dict[str, Any]]
Refusal = Callable[[object], SettingsError]
REASON = {"unsigned_releases": "a sandbox that serves nothing to anybody"}


def unsigned(values: Values, stack: str) -> dict[str, Any]:
    asked = values(stack)
    del asked["fleet"]["services"]["tumour-risk"]["release"]["signers"]
    return asked


@pytest.mark.parametrize("stack", ["dev-aws", "staging-gcp", "prod-aws"])
def test_a_fleet_without_signers_is_refused(values: Values, refusal: Refusal, stack: str) -> None:
    assert "fleet.services.tumour-risk.release.signers" in str(refusal(unsigned(values, stack)))


@pytest.mark.parametrize("stack", ["staging-aws", "prod-gcp"])
def test_no_reason_is_good_enough_outside_development(values: Values, refusal: Refusal, stack: str) -> None:
    assert "opt_outs.unsigned_releases" in str(refusal({**unsigned(values, stack), "opt_outs": REASON}))


def test_a_development_stack_may_do_without_for_a_reason(values: Values) -> None:
    parsed = Settings.parse({**unsigned(values, "dev-aws"), "opt_outs": REASON}, "test")
    assert parsed.fleet.services["tumour-risk"].release.signers == ()


def test_signers_and_a_reason_to_have_none_contradict_each_other(values: Values, refusal: Refusal) -> None:
    assert "unsigned_releases" in str(refusal({**values("dev-aws"), "opt_outs": REASON}))
