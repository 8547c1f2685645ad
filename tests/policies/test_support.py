"""Versions past their support: judged as of the day that a check is given, by one table."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from components.contracts import support
from components.contracts.releases import MINORS, READ_ON
from components.contracts.vocabulary import Cloud
from policies.evaluation import evaluate
from policies.inventory import Inventory, Resource
from policies.model import Verdict
from policies.tokens import EKS_CLUSTER, GKE_CLUSTER, VALKEY, VALKEY_GLOBAL
from policies.verdicts import judge

PATHS = {Cloud.AWS: (EKS_CLUSTER, "version"), Cloud.GCP: (GKE_CLUSTER, "minMasterVersion")}


def stack(token: str, **inputs: Any) -> Inventory:
    return Inventory("prod", {}, (Resource("urn", token, "judged", custom=True, inputs=inputs),))


def verdict(inventory: Inventory, today: date) -> set[Verdict]:
    findings = judge(inventory, (), today).findings
    return {f.verdict for f in findings if f.rule.id.endswith("-version-supported") and f.urn}


@pytest.mark.parametrize(("cloud", "version"), [(cloud, minor) for cloud in Cloud for minor in MINORS[cloud]])
def test_a_version_passes_on_its_last_day_and_fails_on_the_next(cloud: Cloud, version: str) -> None:
    token, path = PATHS[cloud]
    last = date.fromisoformat(MINORS[cloud][version].supported_until)
    assert verdict(stack(token, **{path: version}), last) == {Verdict.PASS}
    assert verdict(stack(token, **{path: version}), last + timedelta(days=1)) == {Verdict.FAIL}


def test_without_a_day_the_day_of_the_table_counts() -> None:
    findings = [f for f in evaluate(stack(EKS_CLUSTER, version="1.33")) if f.rule.id == "aws-eks-version-supported"]
    assert [f.verdict for f in findings] == [Verdict.FAIL]
    assert MINORS[Cloud.AWS]["1.33"].supported_until < READ_ON


@pytest.mark.parametrize("version", ["1.99", "2", "latest", "1.35.", "1.35 ", "1.355"])
def test_a_version_that_the_table_does_not_know_is_unknown_and_not_fine(version: str) -> None:
    assert verdict(stack(EKS_CLUSTER, version=version), date(2026, 11, 22)) == {Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("token", "inputs", "expected"),
    [
        (VALKEY, {"engine": "redis", "engineVersion": "6.2"}, Verdict.FAIL),
        (VALKEY, {"engineVersion": "6.x"}, Verdict.FAIL),
        (VALKEY, {"engine": "valkey", "engineVersion": "6.2"}, Verdict.UNKNOWN),
        (VALKEY, {"engine": "valkey", "engineVersion": "8.0"}, Verdict.PASS),
        (VALKEY_GLOBAL, {"engine": "redis", "engineVersion": "6.2"}, Verdict.FAIL),
        (VALKEY_GLOBAL, {}, Verdict.PASS),
    ],
)
def test_an_engine_is_judged_by_its_own_versions(token: str, inputs: dict[str, str], expected: Verdict) -> None:
    assert verdict(stack(token, **inputs), date(2027, 2, 1)) == {expected}


def test_every_day_of_the_table_is_a_day() -> None:
    for engine in (support.VALKEY, support.REDIS):
        for version in ("4", "5", "6", "7", "8", "9"):
            known = support.elasticache(engine, version)
            assert known is None or known.until == support.UNENDING or date.fromisoformat(known.until)
