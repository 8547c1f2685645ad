"""A scanner's check is claimed whole only where it is judged whole."""

from __future__ import annotations

from typing import Any

import pytest

from policies.evaluation import evaluate
from policies.examples import given, scene
from policies.model import Framework, Rule, Verdict
from policies.rules import RULES
from policies.scanner_claims import IN_PART

_SQL = "gcp:sql/databaseInstance:DatabaseInstance"


def claims() -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in RULES:
        for check in rule.frameworks.get(Framework.CHECKOV, ()):
            found.setdefault(check, []).append(rule)
    return found


def test_what_is_judged_in_part_says_what_is_missing() -> None:
    assert len(IN_PART.keys() & claims().keys()) > 10
    assert all(IN_PART.values())


def test_a_report_tells_whole_checks_and_parts_apart() -> None:
    for check, rules in claims().items():
        for rule in rules:
            told = rule.to_json()["frameworks"]
            assert (check in told.get("checkov", ())) is (check not in IN_PART), check
            assert (check in told.get("checkov, in part", ())) is (check in IN_PART), check


def test_no_limit_of_cpu_is_claimed_for_none_is_asked() -> None:
    assert "CKV_K8S_11" not in claims()


FAULTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("CKV_AWS_17", "aws:rds/instance:Instance", {"publiclyAccessible": True}),
    ("CKV_AWS_17", "aws:rds/clusterInstance:ClusterInstance", {"publiclyAccessible": "true"}),
    ("CKV_AWS_69", "aws:mq/broker:Broker", {"publiclyAccessible": True}),
    ("CKV_AWS_87", "aws:redshift/cluster:Cluster", {"publiclyAccessible": True}),
    ("CKV_AWS_87", "aws:redshift/cluster:Cluster", {}),
    ("CKV_AWS_88", "aws:ec2/instance:Instance", {"associatePublicIpAddress": True}),
    (
        "CKV_AWS_88",
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"networkInterfaces": [{"associatePublicIpAddress": True}]},
    ),
    ("CKV_AWS_89", "aws:dms/replicationInstance:ReplicationInstance", {"publiclyAccessible": True}),
    ("CKV_GCP_11", _SQL, {"settings": {"ipConfiguration": {"authorizedNetworks": [{"value": "0.0.0.0/0"}]}}}),
    ("CKV_GCP_60", _SQL, {"settings": {"ipConfiguration": {"ipv4Enabled": True}}}),
    ("CKV_GCP_40", "gcp:compute/instance:Instance", {"networkInterfaces": [{"accessConfigs": [{}]}]}),
    ("CKV_GCP_40", "gcp:compute/instanceTemplate:InstanceTemplate", {"networkInterfaces": [{"accessConfigs": [{}]}]}),
    (
        "CKV_GCP_40",
        "gcp:compute/instanceFromTemplate:InstanceFromTemplate",
        {"networkInterfaces": [{"accessConfigs": [{"natIp": "203.0.113.7"}]}]},
    ),
)
"""What checkov's checks of public addresses refuse, each form on each of their types (checkov 3.3.30)."""


@pytest.mark.parametrize(
    ("check", "token", "inputs"), FAULTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_a_claimed_check_of_public_addresses_refuses_is_refused(
    check: str, token: str, inputs: dict[str, Any]
) -> None:
    inventory = scene(given(token, inputs)).inventory()
    found = [f.verdict for f in evaluate(inventory, claims()[check]) if f.type == token]
    assert Verdict.FAIL in found


@pytest.mark.parametrize(
    ("check", "accepted"),
    [
        ("CKV_GCP_76", "a subnet without a way to Google's APIs by IPv6"),
        ("CKV_K8S_35", "a variable that is taken from a Secret"),
    ],
)
def test_a_check_is_not_claimed_where_rules_accept_what_it_refuses(check: str, accepted: str) -> None:
    assert check not in claims(), accepted


def test_tokens_of_programs_that_have_rights_are_not_refused_as_checkov_does() -> None:
    assert "CKV_K8S_38" in IN_PART
