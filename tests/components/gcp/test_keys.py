"""Keys: who may use which, and that what needs a key waits for the grant."""

from __future__ import annotations

from typing import Any

import pytest

from components.gcp.agents import Agent, agent_member
from components.gcp.keys import USERS

GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"


@pytest.mark.parametrize("purpose", list(USERS))
def test_a_key_is_used_by_the_services_that_encrypt_with_it_alone(gcp_platform: Any, purpose: str) -> None:
    inventory = gcp_platform.inventory
    key = gcp_platform.one("keys", purpose, "gcp:kms/cryptoKey:CryptoKey")
    users = [
        grant.get("member") for grant in inventory.of_type(GRANT) if key in inventory.linked(grant, "cryptoKeyId")
    ]
    assert sorted(map(str, users)) == sorted(agent_member(gcp_platform.place, agent) for agent in USERS[purpose])


def test_grants_give_no_more_than_use(gcp_platform: Any) -> None:
    roles = {grant.get("role") for grant in gcp_platform.inventory.of_type(GRANT)}
    assert roles == {"roles/cloudkms.cryptoKeyEncrypterDecrypter"}


@pytest.mark.parametrize(
    ("token", "path", "agent"),
    [
        ("gcp:storage/bucket:Bucket", "encryption", Agent.STORAGE),
        ("gcp:redis/instance:Instance", "customerManagedKey", Agent.REDIS),
        ("gcp:artifactregistry/repository:Repository", "kmsKeyName", Agent.ARTIFACT_REGISTRY),
        ("gcp:container/cluster:Cluster", "databaseEncryption", Agent.CONTAINER),
        ("gcp:container/nodePool:NodePool", "nodeConfig", Agent.COMPUTE),
        ("gcp:logging/projectBucketConfig:ProjectBucketConfig", "cmekSettings", Agent.LOGGING),
        ("gcp:gkebackup/backupPlan:BackupPlan", "backupConfig", Agent.GKE_BACKUP),
    ],
    ids=lambda value: value.name if isinstance(value, Agent) else None,
)
def test_what_is_encrypted_waits_until_its_service_may_use_the_key(
    gcp_platform: Any, token: str, path: str, agent: Agent
) -> None:
    member = agent_member(gcp_platform.place, agent)
    for store in gcp_platform.inventory.of_type(token):
        grants = gcp_platform.inventory.linked(store, path, GRANT)
        assert member in [grant.get("member") for grant in grants], f"{store.name} would be refused by Cloud KMS"


def test_a_keys_known_name_is_the_one_that_the_plan_gives_it(gcp_platform: Any) -> None:
    inventory, refs = gcp_platform.inventory, gcp_platform.refs.keys
    for purpose in USERS:
        key = gcp_platform.one("keys", purpose, "gcp:kms/cryptoKey:CryptoKey")
        (ring,) = inventory.linked(key, "keyRing", "gcp:kms/keyRing:KeyRing")
        planned = (
            f"projects/{ring.get('project')}/locations/{ring.get('location')}"
            f"/keyRings/{ring.get('name')}/cryptoKeys/{key.get('name')}"
        )
        assert getattr(refs, purpose).alias == planned


@pytest.mark.parametrize("agent", [Agent.STORAGE, Agent.REDIS], ids=lambda agent: agent.name)
def test_a_restore_needs_no_grant_that_is_not_there_already(gcp_platform: Any, agent: Agent) -> None:
    inventory = gcp_platform.inventory
    key = gcp_platform.one("keys", "recovery", "gcp:kms/cryptoKey:CryptoKey")
    users = [
        grant.get("member") for grant in inventory.of_type(GRANT) if key in inventory.linked(grant, "cryptoKeyId")
    ]
    assert agent_member(gcp_platform.place, agent) in users, "restored models and features lie under the recovery key"
