"""Grants on keys of Google Cloud: the services that keep copies may use the keys, at home and away."""

from __future__ import annotations

import re
from typing import Final

from policies.checks import ABSENT, all_of, failed, is_hidden, passed, read, unknown
from policies.copy_rights import granting
from policies.examples import Output, drop, examples, given, put, without
from policies.family import Family
from policies.google_iam import KEY_GRANTS
from policies.inventory import Inventory, Resource
from policies.links import key_region, keys_behind
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import GCP_KEY, GCP_KEY_MEMBER, GCP_KEY_RING, GCS_BUCKET, GKE_BACKUP_PLAN, REDIS

family = Family("Grants of keys")

_BOTH: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_SERVICE: Final = "serviceAccount:service-1@gcp-sa-gkebackup.iam.gserviceaccount.com"
_SERVICES: Final = re.compile(
    r"@(gcp-sa-(artifactregistry|bigtable|firestore|gkebackup|logging)|gs-project-accounts|compute-system"
    r"|container-engine-robot|cloud-redis)\.iam\."
)
"""The agents of services that a restore brings back (as `components.gcp.agents` has them)."""
_CP9: Final = {Framework.NIST_800_53: ("CP-9",)}


@family.rule(
    "gcp-far-key-serves-all",
    Severity.HIGH,
    "Whoever uses the keys of the region may use the key of the backup region",
    types=(GCP_KEY,),
    rationale="A restore in the backup region takes the same services: without the key each is refused there.",
    remedy="Grant the backup region's key cryptoKeyEncrypterDecrypter to each service agent that has it at home.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(
            GCP_KEY, {"name": "far-serves", "keyRing": Output(GCP_KEY_RING, "far-serves")}, "far-serves", away=True
        ),
        given(GCP_KEY_RING, {"location": "europe-north1"}, "far-serves", away=True),
        given(GCP_KEY, {"name": "near-serves", "keyRing": Output(GCP_KEY_RING, "near-serves")}, "near-serves"),
        given(GCP_KEY_RING, {"location": "europe-west1"}, "near-serves"),
        *(
            given(
                GCP_KEY_MEMBER,
                {"cryptoKeyId": Output(GCP_KEY, key), "role": _BOTH, "member": _SERVICE},
                key,
            )
            for key in ("near-serves", "far-serves")
        ),
        broken={
            f"{_SERVICE} may not use it": (
                without(GCP_KEY_MEMBER, "far-serves"),
                put("role", "roles/cloudkms.cryptoKeyDecrypter", GCP_KEY_MEMBER, "far-serves"),
                put("member", "serviceAccount:another", GCP_KEY_MEMBER, "far-serves"),
            )
        },
        accepted={"": without(GCP_KEY_MEMBER, "near-serves")},
    ),
)
def gcp_far_key_serves_all(key: Resource, inventory: Inventory) -> Judgement:
    away = SettingsView.of(inventory.settings).backup_region
    if any(is_hidden(read(each, path)) for each in inventory.of_type(GCP_KEY_MEMBER) for path in ("role", "member")):
        return unknown("keyRing", "grants that the plan knows")
    if key_region(inventory, key) == "" and read(key, "keyRing") is not ABSENT:
        return unknown("keyRing", "a key ring whose region the plan knows")
    if not away or key_region(inventory, key) != away:
        return passed()
    users = inventory.derived(_key_users)
    near = {
        m
        for urn, (region, members) in users.items()
        if region != away
        for m in members
        if urn != key.urn and _SERVICES.search(m)
    }
    far = {m for region, members in users.values() if region == away for m in members}
    return all_of(failed("", f"{m} may not use it", f"{_BOTH} for it") for m in sorted(near - far))


_AGENTS: Final = {
    GCS_BUCKET: ("encryption.defaultKmsKeyName", "@gs-project-accounts.iam.gserviceaccount.com"),
    REDIS: ("customerManagedKey", "@cloud-redis.iam.gserviceaccount.com"),
    GKE_BACKUP_PLAN: (
        "backupConfig.encryptionKey.gcpKmsEncryptionKey",
        "@gcp-sa-gkebackup.iam.gserviceaccount.com",
    ),
}
"""Type → its input with a key, and the service agent that uses the key (as `components.gcp.agents` has them)."""


@family.rule(
    "gcp-keys-granted",
    Severity.HIGH,
    "The service that keeps something under a key may use the key",
    types=tuple(_AGENTS),
    rationale="A service without its key reads nothing and writes nothing: not the state, and not the copy.",
    remedy="Grant the service's agent cryptoKeyEncrypterDecrypter on the key, without a condition.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(GCS_BUCKET, {"name": "keyed", "encryption.defaultKmsKeyName": Output(GCP_KEY, "keyed")}, "keyed"),
        given(GCP_KEY, {"name": "keyed"}, "keyed", away=True),
        given(
            GCP_KEY_MEMBER,
            {
                "cryptoKeyId": Output(GCP_KEY, "keyed"),
                "role": _BOTH,
                "member": "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com",
            },
            "keyed",
        ),
        broken={
            "no agent of @gs-project-accounts.iam.gserviceaccount.com may use keyed": (
                without(GCP_KEY_MEMBER, "keyed"),
                put("role", "roles/cloudkms.cryptoKeyDecrypter", GCP_KEY_MEMBER, "keyed"),
            )
        },
        accepted={"": drop("encryption")},
    ),
)
def gcp_keys_granted(holder: Resource, inventory: Inventory) -> Judgement:
    path, agent = _AGENTS[holder.type]
    users, keys = inventory.derived(_key_users), keys_behind(inventory, holder, path)
    if is_hidden(read(holder, path)) and not keys:
        return unknown(path, "a key that the plan knows")
    return all_of(
        failed("", f"no agent of {agent} may use {key.name}", f"{_BOTH} for it")
        for key in keys
        if key.urn in users and not any(member.endswith(agent) for member in users[key.urn][1])
    )


def _key_users(inventory: Inventory) -> dict[str, tuple[str, set[str]]]:
    users: dict[str, tuple[str, set[str]]] = {
        k.urn: (key_region(inventory, k), set()) for k in inventory.of_type(GCP_KEY)
    }
    for resource, grant in granting(inventory, KEY_GRANTS):
        for key in inventory.linked(resource, "cryptoKeyId", GCP_KEY):
            if grant.role == _BOTH:
                users[key.urn][1].update(m for m in grant.members if m.startswith("serviceAccount:"))
    return users
