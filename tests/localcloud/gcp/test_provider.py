"""The Google Cloud stand-in: ids shaped as Google's, grants that leave others alone, named refusals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.sdk.types import schema_of
from localcloud.gcp.context import Context, labels_of
from localcloud.gcp.members import with_member
from localcloud.gcp.provider import GcpProvider, blame
from localcloud.gcp.recorded import RECORDED, check_step
from localcloud.providers.base import ProviderError, Request
from localcloud.providers.store import Store

CONTEXT = Context("acme", "europe-west1", {"stack": "dev-gcp"})


def request(token: str, inputs: Mapping[str, Any], **more: Any) -> Request:
    name = "thing"
    return Request(f"urn:pulumi:dev-gcp::seawall::{token}::{name}", token, name, inputs, **more)


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GcpProvider:
    """A configured provider whose emulator nobody asks."""
    monkeypatch.setenv("SEAWALL_LOCAL_GCP_URL", "http://127.0.0.1:1")
    made = GcpProvider(Store(tmp_path / "store.sqlite3"))
    made.configure({"project": "acme", "region": "europe-west1", "defaultLabels": {"stack": "dev-gcp"}})
    return made


@pytest.mark.parametrize(
    ("token", "inputs", "expected"),
    [
        ("gcp:compute/network:Network", {"name": "n"}, "projects/acme/global/networks/n"),
        (
            "gcp:compute/subnetwork:Subnetwork",
            {"name": "s", "ipCidrRange": "10.0.0.0/20"},
            "projects/acme/regions/europe-west1/subnetworks/s",
        ),
        (
            "gcp:container/cluster:Cluster",
            {"name": "c", "location": "europe-west1", "project": "other"},
            "projects/other/locations/europe-west1/clusters/c",
        ),
        (
            "gcp:container/nodePool:NodePool",
            {"name": "gpu", "cluster": "projects/acme/locations/l/clusters/c"},
            "projects/acme/locations/l/clusters/c/nodePools/gpu",
        ),
        (
            "gcp:artifactregistry/repository:Repository",
            {"repositoryId": "r", "location": "l"},
            "projects/acme/locations/l/repositories/r",
        ),
        ("gcp:projects/service:Service", {"service": "redis.googleapis.com"}, "acme/redis.googleapis.com"),
        ("gcp:firestore/database:Database", {"name": "f"}, "projects/acme/databases/f"),
        (
            "gcp:firestore/field:Field",
            {"database": "f", "collection": "c", "field": "a"},
            "projects/acme/databases/f/collectionGroups/c/fields/a",
        ),
        ("gcp:bigtable/table:Table", {"name": "t", "instanceName": "i"}, "projects/acme/instances/i/tables/t"),
        (
            "gcp:bigtable/tableIamMember:TableIamMember",
            {"instanceName": "i", "table": "t", "role": "roles/r", "member": "user:a@b"},
            "projects/acme/instances/i/tables/t/roles/r/user:a@b",
        ),
    ],
)
def test_ids_are_shaped_as_googles(token: str, inputs: dict[str, Any], expected: str) -> None:
    assert RECORDED[token].identify(request(token, inputs), CONTEXT) == expected


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        ("gcp:bigtable/gCPolicy:GCPolicy", {"instanceName": "i", "table": "t", "columnFamily": "f"}),
        ("gcp:bigtable/instance:Instance", {"name": "i", "labels": {"a": "b"}}),
        ("gcp:bigtable/table:Table", {"name": "t", "instanceName": "i"}),
        (
            "gcp:bigtable/tableIamMember:TableIamMember",
            {"instanceName": "i", "table": "t", "role": "roles/r", "member": "user:a@b"},
        ),
        ("gcp:firestore/backupSchedule:BackupSchedule", {"database": "f"}),
        ("gcp:firestore/database:Database", {"name": "f"}),
        ("gcp:firestore/field:Field", {"database": "f", "collection": "c", "field": "a"}),
    ],
)
def test_a_recorded_type_has_every_output_that_the_sdk_names_and_stays_the_same(
    provider: GcpProvider, token: str, inputs: dict[str, Any]
) -> None:
    kind, schema = provider.kind(token), schema_of(token)
    made = kind.create(request(token, inputs))
    assert schema is not None and schema.outputs - schema.inputs.keys() <= made.outputs.keys()
    found = kind.read(request(token, inputs, id=made.id, outputs=made.outputs))
    assert found is not None and found.inputs is None, "no drift"


def test_compute_links_point_to_the_compute_api(provider: GcpProvider) -> None:
    token = "gcp:compute/network:Network"
    state = provider.kind(token).create(request(token, {"name": "n"}))
    assert state.outputs["selfLink"] == "https://www.googleapis.com/compute/v1/projects/acme/global/networks/n"


def test_a_private_cluster_has_a_private_endpoint(provider: GcpProvider) -> None:
    token = "gcp:container/cluster:Cluster"
    private = {"enablePrivateEndpoint": True, "masterIpv4CidrBlock": "10.20.32.0/28"}
    inputs = {"name": "c", "location": "europe-west1", "privateClusterConfig": private}
    assert provider.kind(token).create(request(token, inputs)).outputs["endpoint"] == "10.20.32.2"


def test_a_clusters_ca_stays_the_same_over_updates(provider: GcpProvider) -> None:
    token = "gcp:container/cluster:Cluster"
    inputs = {"name": "c", "location": "europe-west1"}
    kind = provider.kind(token)
    made = kind.create(request(token, inputs))
    updated = kind.update(request(token, inputs, id=made.id, outputs=made.outputs))
    assert updated.outputs["masterAuth"] == made.outputs["masterAuth"]


def test_labels_are_joined_with_the_providers() -> None:
    assert labels_of({"a": "b"}, CONTEXT) == {
        "pulumiLabels": {"stack": "dev-gcp", "a": "b"},
        "effectiveLabels": {"stack": "dev-gcp", "a": "b", "goog-pulumi-provisioned": "true"},
    }


def test_a_name_that_is_taken_is_refused(provider: GcpProvider) -> None:
    token = "gcp:compute/network:Network"
    provider.kind(token).create(request(token, {"name": "n"}))
    other = Request("urn:pulumi:dev-gcp::seawall::x::other", token, "other", {"name": "n"})
    with pytest.raises(ProviderError, match="exists already"):
        provider.kind(token).create(other)


@pytest.mark.parametrize(
    ("inputs", "argument"),
    [
        ({"deletionProtection": True}, "deletionProtection"),
        ({"deletionProtection": "PROTECTED"}, "deletionProtection"),
        ({"deleteProtectionState": "DELETE_PROTECTION_ENABLED"}, "deleteProtectionState"),
        ({"deletionPolicy": "PREVENT"}, "deletionPolicy"),
    ],
)
def test_a_protected_resource_is_not_deleted(provider: GcpProvider, inputs: dict[str, Any], argument: str) -> None:
    token = "gcp:container/cluster:Cluster"
    made = {"name": "c", "location": "l", **inputs}
    state = provider.kind(token).create(request(token, made))
    with pytest.raises(ProviderError) as refused:
        provider.kind(token).delete(request(token, made, id=state.id))
    assert refused.value.argument == argument


@pytest.mark.parametrize(
    "lifted", [{"deletionProtection": "UNPROTECTED"}, {"deleteProtectionState": "DELETE_PROTECTION_DISABLED"}]
)
def test_a_resource_whose_protection_was_lifted_is_deleted(provider: GcpProvider, lifted: dict[str, Any]) -> None:
    token = "gcp:container/cluster:Cluster"
    made = {"name": "c", "location": "l", **lifted}
    state = provider.kind(token).create(request(token, made))
    provider.kind(token).delete(request(token, made, id=state.id))
    assert provider.kind(token).read(request(token, {}, id=state.id)) is None


def test_a_policy_that_was_left_behind_does_not_stop_the_next(provider: GcpProvider) -> None:
    token = "gcp:bigtable/gCPolicy:GCPolicy"
    made = {"instanceName": "i", "table": "t", "columnFamily": "f", "deletionPolicy": "ABANDON"}
    state = provider.kind(token).create(request(token, made))
    provider.kind(token).delete(request(token, made, id=state.id))
    assert provider.kind(token).create(request(token, made)).id != state.id


def test_a_protected_resource_goes_when_the_command_says_so(
    provider: GcpProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "gcp:container/cluster:Cluster"
    made = {"name": "c", "location": "l", "deletionProtection": True}
    state = provider.kind(token).create(request(token, made))
    monkeypatch.setenv("SEAWALL_LOCAL_FORCE_DELETE", "1")
    provider.kind(token).delete(request(token, made, id=state.id))
    assert provider.kind(token).read(request(token, made, id=state.id)) is None


_BINDINGS = st.dictionaries(
    st.sampled_from(["roles/a", "roles/b"]),
    st.lists(st.sampled_from(["user:x", "user:y"]), unique=True, min_size=1),
)


@given(_BINDINGS)
def test_a_grant_added_and_taken_back_leaves_the_policy_as_it_was(bindings: dict[str, list[str]]) -> None:
    before = {"etag": "e", "bindings": [{"role": r, "members": m} for r, m in bindings.items()]}
    mine = {"role": "roles/a", "member": "user:mine"}
    after = with_member(with_member(before, mine, present=True), mine, present=False)
    assert after == before


def test_a_refusal_names_the_argument_whose_value_it_quotes() -> None:
    inputs = {"name": "models", "encryption": {"defaultKmsKeyName": "projects/p/keys/k"}}
    assert blame(inputs, "Cloud KMS key projects/p/keys/k not found.") == "encryption.defaultKmsKeyName"


def test_a_refusal_that_quotes_nothing_blames_nothing() -> None:
    assert blame({"name": "models"}, "quota exceeded") is None


@pytest.mark.parametrize(("before", "after"), [("1.34", "1.36"), ("1.35", "1.34")])
def test_a_control_plane_goes_up_one_minor_version_at_a_time(before: str, after: str) -> None:
    check_step("1.34", "1.35")
    with pytest.raises(ProviderError, match="one minor version at a time"):
        check_step(before, after)
