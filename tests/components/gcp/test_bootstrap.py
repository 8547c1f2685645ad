"""Bootstrap on Google Cloud: who may act as which account, what it may do, and which roles it may hand out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from common.permissions import needed
from common.permissions.gcp import GCP, NOT_IN_PROJECT
from components.contracts.bootstrap import Deploys
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.gcp_roles import DRILLS, EXPORTS, WRITES
from components.contracts.vocabulary import Cloud
from components.gcp.bootstrap.rights import (
    GRANT,
    HANDED_OUT,
    HANDED_OUT_FOR,
    KUBERNETES,
    OWNERS_ALONE,
    deploy_permissions,
    handed_out,
    plan_permissions,
)
from policies.inventory import Inventory, Resource
from stacks.files import is_bootstrap

MEMBER, CUSTOM_ROLE = "gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMCustomRole:IAMCustomRole"
ACT_AS = "gcp:serviceaccount/iAMMember:IAMMember"
STORES = (FeatureStoreKind.REDIS, FeatureStoreKind.FIRESTORE, FeatureStoreKind.BIGTABLE)


@pytest.fixture
def project(plans: dict[str, Inventory]) -> Inventory:
    return plans["bootstrap-gcp"]


@pytest.fixture(params=STORES, ids=str)
def stack(request: pytest.FixtureRequest, plan_platform: Any, stores: Mapping[FeatureStoreKind, Any]) -> Any:
    """The development stack with each kind of feature store."""
    return plan_platform(Cloud.GCP, **stores[request.param][1])


def deploys_of(stack: Any) -> Deploys:
    settings = stack.settings
    return Deploys(settings.environment, settings.region, settings.backup.region, str(settings.feature_store.kind))


def one(plan: Inventory, token: str, name: str) -> Resource:
    (found,) = [r for r in plan.of_type(token) if r.name == name]
    return found


def test_a_deployer_may_do_all_that_the_stacks_types_need(stack: Any) -> None:
    types = {r.type for r in stack.inventory.resources if r.type.startswith("gcp:")}
    assert needed(GCP, types) - NOT_IN_PROJECT - {GRANT} <= set(deploy_permissions(deploys_of(stack)))


def test_a_stack_has_no_type_that_is_its_owners_alone(stack: Any) -> None:
    assert OWNERS_ALONE.isdisjoint(r.type for r in stack.inventory.resources)


def test_a_deployer_hands_out_exactly_the_roles_that_the_stack_grants(stack: Any) -> None:
    kind = stack.settings.feature_store.kind
    own = {"seawall_dev_connects"}
    own |= {"seawall_dev_feature_export"} if kind in EXPORTS else set()
    own |= {"seawall_dev_drill", "seawall_dev_drill_buckets"} if kind in DRILLS else set()
    own |= {"seawall_dev_feature_writer"} if kind in WRITES else set()
    granted = {grant.get("role") for grant in stack.inventory.of_type(MEMBER)}
    roles = {f"projects/{stack.settings.account}/roles/{role}" for role in own}
    assert granted == {*handed_out(deploys_of(stack)), *roles}


def test_bootstrap_makes_the_roles_that_the_stack_is_handed(project: Inventory, gcp_platform: Any) -> None:
    made = {f"projects/{r.get('project')}/roles/{r.get('roleId')}" for r in project.of_type(CUSTOM_ROLE)}
    granted = {grant.get("role") for grant in gcp_platform.inventory.of_type(MEMBER)}
    assert {role for role in granted if role.startswith("projects/")} <= made


def test_handing_out_is_limited_to_named_roles(project: Inventory, gcp_platform: Any) -> None:
    grant = one(project, MEMBER, "deploy-dev-hands-out")
    named = set(re.findall(r"'([^']+)'", grant.get("condition.expression").partition("hasOnly")[2]))
    assert named == {g.get("role") for g in gcp_platform.inventory.of_type(MEMBER)}
    with_grant = [r.name for r in project.of_type(CUSTOM_ROLE) if GRANT in r.get("permissions")]
    assert with_grant == ["deploy-dev-hands-out"]


def test_no_role_that_is_handed_out_hands_out_roles() -> None:
    roles = {*HANDED_OUT, *(role for roles in HANDED_OUT_FOR.values() for role in roles)}
    assert not [r for r in roles if r in ("roles/owner", "roles/editor") or r.lower().endswith("admin")]


def kinds(plan: Inventory) -> Iterator[str]:
    """The kinds of a stack's objects on its cluster, as GKE's permissions call them."""
    for token in {r.type for r in plan.resources if r.type.startswith("kubernetes:")}:
        group, kind = token.removeprefix("kubernetes:").partition("/")[0], token.rpartition(":")[2]
        if "." in group and (not group.endswith(".k8s.io") or group.startswith("gateway.")):
            yield "thirdPartyObjects"
            continue
        plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}es" if kind.endswith("s") else f"{kind}s"
        yield "apiServices" if kind == "APIService" else plural[0].lower() + plural[1:]


def test_a_deployer_may_do_what_the_stack_has_on_its_cluster_and_no_more(plans: dict[str, Inventory]) -> None:
    stacks = [plan for name, plan in plans.items() if name.endswith("-gcp") and not is_bootstrap(name)]
    assert {kind for plan in stacks for kind in kinds(plan)} == set(KUBERNETES)


def test_the_plan_account_only_reads(stack: Any) -> None:
    verbs = {permission.rpartition(".")[2] for permission in plan_permissions([deploys_of(stack)])}
    assert [v for v in verbs if not v.startswith(("get", "list")) and v not in ("connect", "use")] == []


def test_the_plan_account_reads_no_data(stack: Any) -> None:
    data = ("storage.objects.", "datastore.entities.", "bigtable.tables.readRows", "redis.instances.getAuthString")
    assert [p for p in plan_permissions([deploys_of(stack)]) if p.startswith(data)] == []


@pytest.mark.parametrize(
    ("account", "subjects"),
    [
        ("plan", ["repo:acme/seawall:pull_request", "repo:acme/seawall:ref:refs/heads/main"]),
        ("deploy-dev", ["repo:acme/seawall:environment:dev"]),
    ],
)
def test_an_account_serves_exactly_its_subjects(account: str, subjects: list[str], project: Inventory) -> None:
    pool = (
        "principal://iam.googleapis.com/projects/111122223333/locations/global/workloadIdentityPools/seawall-github"
    )
    members = [r.get("member") for r in project.of_type(ACT_AS) if r.name.rpartition("-")[0] == account]
    assert members == [f"{pool}/subject/{subject}" for subject in subjects]
    assert not [m for m in members if "*" in m or m.startswith("principalSet")]


def test_tokens_of_other_repositories_are_not_accepted(project: Inventory) -> None:
    (provider,) = project.of_type("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
    asked = provider.get("attributeCondition").split(" && ")
    assert asked[:2] == ["assertion.repository == 'acme/seawall'", "assertion.repository_id == '123456789'"]
    assert provider.get("attributeMapping") == {"google.subject": "assertion.sub"}


def test_the_state_is_open_to_each_account_for_its_stack_alone(project: Inventory) -> None:
    grants = {r.name: r for r in project.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")}
    roles = {"plan-state": "roles/storage.objectViewer", "deploy-dev-state": "roles/storage.objectUser"}
    for name, role in roles.items():
        assert grants[name].get("role") == role
        *own, layout = grants[name].get("condition.expression").split(" || ")
        assert layout.startswith("resource.name == ")
        assert own
        assert all("seawall/dev-gcp" in begin and begin.startswith("resource.name.startsWith(") for begin in own)


def test_only_the_deployer_encrypts_with_the_secrets_key(project: Inventory) -> None:
    grants = {r.name: r.get("role") for r in project.of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")}
    assert grants["plan-secrets"] == "roles/cloudkms.cryptoKeyDecrypter"
    assert grants["deploy-dev-secrets"] == "roles/cloudkms.cryptoKeyEncrypterDecrypter"


def test_access_logs_of_the_state_go_to_a_bucket_that_bootstrap_makes(project: Inventory) -> None:
    made = {bucket.get("name") for bucket in project.of_type("gcp:storage/bucket:Bucket")}
    assert one(project, "gcp:storage/bucket:Bucket", "state").get("logging.logBucket") in made


def test_accesses_are_logged_under_a_setting_that_no_stack_has(project: Inventory, gcp_platform: Any) -> None:
    config = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
    services = [c.get("service") for c in project.of_type(config)]
    assert services == ["allServices"]
    assert not {c.get("service") for c in gcp_platform.inventory.of_type(config)} & set(services)
