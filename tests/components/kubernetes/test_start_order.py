"""A pod that has a cloud identity starts after the identity is bound, whatever the workload."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from policies.inventory import Inventory, Resource
from policies.model import Verdict
from policies.rules.pod_identity import start_after_identity
from policies.workloads import WORKLOADS

BOUND = {"aws": {"tumour-risk", "cluster-autoscaler"}, "gcp": {"tumour-risk"}}
"""Cloud → the workloads that have an identity."""


def judged(inventory: Inventory) -> dict[str, Verdict]:
    """Every workload with an identity, by its name, and the rule's verdict."""
    verdicts = {w.name: start_after_identity(w, inventory).verdict for w in inventory.of_type(*WORKLOADS)}
    return {name: verdict for name, verdict in verdicts.items() if verdict is not Verdict.NOT_APPLICABLE}


def test_every_workload_with_an_identity_waits_for_it(manifests: Any) -> None:
    assert judged(manifests.inventory) == dict.fromkeys(BOUND[manifests.cloud], Verdict.PASS)


def test_a_service_account_that_waits_for_nothing_is_found(manifests: Any) -> None:
    def loose(resource: Resource) -> Resource:
        if not resource.type.endswith(":ServiceAccount"):
            return resource
        return replace(resource, dependencies=(), property_dependencies={})

    inventory = manifests.inventory
    broken = replace(inventory, resources=tuple(loose(r) for r in inventory.resources))
    assert judged(broken)["tumour-risk"] is Verdict.FAIL


def test_a_workload_takes_its_accounts_name_from_the_account(manifests: Any) -> None:
    for workload in manifests.inventory.of_type(*WORKLOADS):
        if workload.name in BOUND[manifests.cloud]:
            accounts = manifests.inventory.linked(workload, "spec", "kubernetes:core/v1:ServiceAccount")
            assert accounts, f"{workload.name} could start before its account"
