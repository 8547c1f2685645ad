"""What the local cloud emulates and what it records: current in the documents, refused where unknown, complete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from localcloud import limits
from localcloud.aws.provider import AwsProvider
from localcloud.gcp.provider import GcpProvider
from localcloud.kubernetes.provider import KubernetesProvider
from localcloud.providers.base import LocalProvider, ProviderError
from localcloud.providers.store import Store
from policies.inventory import Inventory

ON_REQUEST: dict[str, str] = {
    **dict.fromkeys(
        (
            "gcp:bigtable/gCPolicy:GCPolicy",
            "gcp:bigtable/instance:Instance",
            "gcp:bigtable/table:Table",
            "gcp:bigtable/tableIamMember:TableIamMember",
        ),
        "feature_store.kind: bigtable",
    ),
    **dict.fromkeys(
        (
            "gcp:firestore/backupSchedule:BackupSchedule",
            "gcp:firestore/database:Database",
            "gcp:firestore/field:Field",
        ),
        "feature_store.kind: firestore",
    ),
    **dict.fromkeys(
        (
            "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup",
            "aws:elasticache/replicationGroup:ReplicationGroup",
            "aws:elasticache/subnetGroup:SubnetGroup",
            "aws:elasticache/user:User",
            "aws:elasticache/userGroup:UserGroup",
        ),
        "feature_store.kind: valkey",
    ),
    **dict.fromkeys(("aws:ec2/internetGateway:InternetGateway", "aws:ec2/route:Route"), "fleet.door.public"),
    **dict.fromkeys(
        ("kubernetes:flagger.app/v1beta1:Canary", "kubernetes:flagger.app/v1beta1:MetricTemplate"),
        "fleet.services.*.traffic.strategy: canary",
    ),
    "kubernetes:gateway.envoyproxy.io/v1alpha1:Backend": "fleet.services.*.fallback.service",
    "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyExtensionPolicy": "fleet.services.*.traffic.strategy: a-b",
}
"""A type that no committed stack has, and the setting that asks for it."""


@pytest.fixture(scope="module")
def planned(plans: dict[str, Inventory]) -> frozenset[str]:
    """The types of all stacks."""
    return frozenset(r.type for stack in plans.values() for r in stack.resources if r.custom)


@pytest.mark.parametrize(
    ("cloud", "package"), [("AWS", "aws"), ("Google Cloud", "gcp"), ("Kubernetes", "kubernetes")]
)
def test_the_local_cloud_knows_every_type_of_every_stack(planned: frozenset[str], cloud: str, package: str) -> None:
    known = limits.known_types()[cloud]
    assert {t for t in planned if t.startswith(f"{package}:")} - {*known.emulated, *known.recorded} == set()


@pytest.mark.parametrize("cloud", ["AWS", "Google Cloud", "Kubernetes"])
def test_no_type_is_known_that_no_stack_can_have(planned: frozenset[str], cloud: str) -> None:
    known = limits.known_types()[cloud]
    assert {*known.emulated, *known.recorded} - planned == {
        t for t in ON_REQUEST if t in known.recorded + known.emulated
    }


@pytest.mark.parametrize("cloud", ["AWS", "Google Cloud", "Kubernetes"])
def test_no_type_is_both_emulated_and_only_recorded(cloud: str) -> None:
    known = limits.known_types()[cloud]
    assert set(known.emulated) & set(known.recorded) == set()


def test_the_page_is_current() -> None:
    assert limits.PAGE.read_text(encoding="utf-8") == limits.page(limits.known_types()), "run `make docs`"


def test_the_readmes_limits_are_current() -> None:
    readme = limits.README.read_text(encoding="utf-8")
    assert limits.with_summary(readme, limits.summary(limits.known_types())) == readme, "run `make docs`"


def test_the_page_names_a_type_under_what_becomes_of_it() -> None:
    page = limits.page({"AWS": limits.Known(("aws:a/b:B",), ("aws:c/d:D",))})
    assert "### Emulated\n\n- `aws:a/b:B`\n\n### Recorded only\n\n- `aws:c/d:D`\n" in page


def test_the_page_says_what_of_an_emulated_type_changes_nothing() -> None:
    known = limits.known_types()
    assert limits.notes().keys() <= {token for types in known.values() for token in types.emulated}
    page = limits.page(known)
    assert all(f"- `{token}`; not enforced: {what}\n" in page for token, what in limits.notes().items())


def test_what_a_stack_deployed_and_nothing_judges_is_told_once_and_in_order() -> None:
    topic, role = "aws:sns/topic:Topic", "aws:ec2/vpc:Vpc"
    told = limits.not_enforced([role, topic, topic, "seawall:aws:Backup", "pulumi:providers:aws"], ["aws:CalledVia"])
    assert [of for of, _ in told] == [role, topic, "condition aws:CalledVia"]
    assert [told[0][1], told[1][1]] == [limits.RECORDED_ONLY, limits.notes()[topic]]


def test_what_is_judged_in_full_is_not_told() -> None:
    assert limits.not_enforced(["aws:s3/bucketVersioning:BucketVersioning"]) == ()


def test_a_readme_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="README"):
        limits.with_summary("# Limits\n", "text")


@pytest.fixture
def make_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[type[LocalProvider]], LocalProvider]:
    """Makes a stand-in whose emulator nobody asks."""
    monkeypatch.setenv("SEAWALL_LOCAL_GCP_URL", "http://127.0.0.1:1")
    return lambda provider: provider(Store(tmp_path / "store.sqlite3"))


@pytest.mark.parametrize(
    ("provider", "token"),
    [
        (AwsProvider, "aws:rds/instance:Instance"),
        (GcpProvider, "gcp:sql/instance:Instance"),
        (KubernetesProvider, "kubernetes:apps/v1:StatefulSet"),
    ],
)
def test_an_unknown_type_is_refused_with_its_name_and_the_table_to_add_it_to(
    make_provider: Callable[[type[LocalProvider]], LocalProvider], provider: type[LocalProvider], token: str
) -> None:
    with pytest.raises(ProviderError) as refused:
        make_provider(provider).kind(token)
    assert token in refused.value.reason
    table = f"localcloud/{provider.package}/recorded.py"
    assert f"RECORDED in {table}" in refused.value.reason and (limits.README.parent / table).is_file()
