"""The fleet's identity: what it may do, and what else may become it."""

from __future__ import annotations

from typing import Any

from components.contracts.place import Place
from components.gcp.identity import workload_member


def _fleet(platform: Any) -> str:
    fleet = platform.one("identity", "fleet", "gcp:serviceaccount/account:Account")
    return f"serviceAccount:{fleet.get('accountId')}@{platform.place.account}.iam.gserviceaccount.com"


def test_the_fleet_reads_the_model_bucket_and_nothing_else(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    grants = [r for r in inventory.resources if r.get("member") == _fleet(gcp_platform)]
    models = gcp_platform.one("storage", "models", "gcp:storage/bucket:Bucket")
    assert {grant.get("role") for grant in grants} == {
        "roles/storage.objectViewer",
        "roles/storage.legacyBucketReader",
    }
    assert all(inventory.linked(grant, "bucket") == (models,) for grant in grants)


def test_pods_may_become_the_fleet_only_once_the_clusters_pool_exists(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    become = inventory.of_type("gcp:serviceaccount/iAMMember:IAMMember")
    (binding,) = (r for r in become if r.get("role") == "roles/iam.workloadIdentityUser")
    (cluster,) = inventory.of_type("gcp:container/cluster:Cluster")
    assert cluster in inventory.linked(binding, "serviceAccountId"), (
        "IAM refuses a member of a pool that is not there"
    )


def test_a_workload_is_named_by_pool_namespace_and_service_account(place: Place) -> None:
    member = workload_member(place, "serving", "triton")
    assert member == "serviceAccount:acme-serving-dev.svc.id.goog[serving/triton]"


def test_service_accounts_fit_googles_limit(gcp_platform: Any) -> None:
    accounts = gcp_platform.inventory.of_type("gcp:serviceaccount/account:Account")
    assert all(6 <= len(account.get("accountId")) <= 30 for account in accounts)
