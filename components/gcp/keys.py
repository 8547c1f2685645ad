"""Customer-managed Cloud KMS keys: three for the primary region's purposes, one of the backup region's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeyRef, KeysRef
from components.contracts.specs import KeysSpec
from components.contracts.stateful import NotCopied, Stateful
from components.gcp.agents import Agent, agent_member
from components.gcp.durations import days

USER_ROLE: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"

USERS: Final[Mapping[str, tuple[Agent, ...]]] = {
    "cluster": (Agent.CONTAINER,),
    "data": (Agent.STORAGE, Agent.COMPUTE, Agent.ARTIFACT_REGISTRY, Agent.REDIS),
    "logs": (Agent.LOGGING,),
    # Redis, so that a restored feature store can be encrypted here when the primary region is gone. Backup for GKE
    # writes through both its own agent and that of GKE (its page "About CMEK").
    # The rest is what a service that is brought up there encrypts: disks, logs and images.
    "recovery": (
        Agent.STORAGE,
        Agent.COMPUTE,
        Agent.ARTIFACT_REGISTRY,
        Agent.REDIS,
        Agent.GKE_BACKUP,
        Agent.CONTAINER,
        Agent.LOGGING,
    ),
}
"""Purpose of a key → the service agents that use it, and no other."""

RING: Final = Stateful("the keys in it", NotCopied("key material never leaves Cloud KMS"))
ENCRYPTED: Final[Mapping[str, Stateful]] = {
    purpose: Stateful(
        f"everything encrypted under the key: {content}", NotCopied("key material never leaves Cloud KMS")
    )
    for purpose, content in {
        "cluster": "Kubernetes secrets",
        "data": "models, features, images and disks",
        "logs": "logs",
        "recovery": "copies in the backup region",
    }.items()
}
"""Purpose of a key → what nobody can read without it."""


class Keys(Component):
    """The stack's keys, by purpose: `cluster` (Kubernetes secrets), `data`, `logs`, and `recovery` far away.

    No person or workload may use a key directly: each is granted to the agents of the services that encrypt with it.

    Cloud KMS never deletes a ring or a key, only key versions. A stack that was destroyed comes back with the next
    `generation`: its rings are imported, its keys are new.
    """

    ref: KeysRef

    def __init__(self, name: str, place: Place, spec: KeysSpec, *, provider: pulumi.ProviderResource) -> None:
        super().__init__("gcp:Keys", name, provider)
        primary = key_ring(self, "primary", RING, place, place.region)
        backup = key_ring(self, "backup", RING, place, place.backup_region)
        self.ref = KeysRef(
            cluster=self._key("cluster", place, spec, primary, place.region),
            data=self._key("data", place, spec, primary, place.region),
            logs=self._key("logs", place, spec, primary, place.region),
            recovery=self._key("recovery", place, spec, backup, place.backup_region),
        )
        self.finish({purpose: getattr(self.ref, purpose).id for purpose in USERS})

    def _key(self, purpose: str, place: Place, spec: KeysSpec, ring: gcp.kms.KeyRing, region: str) -> KeyRef:
        key = crypto_key(self, purpose, ENCRYPTED[purpose], place, spec, ring)
        grants = [
            gcp.kms.CryptoKeyIAMMember(
                f"{purpose}-{agent.name.lower().replace('_', '-')}",
                crypto_key_id=key.id,
                role=USER_ROLE,
                member=agent_member(place, agent),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for agent in USERS[purpose]
        ]
        return KeyRef(id=ready(key.id, *grants), alias=key_id(place, purpose, region), region=region)


def key_ring(
    parent: Component,
    name: str,
    holds: Stateful,
    place: Place,
    region: str,
    *,
    after: Sequence[pulumi.Resource] = (),
) -> gcp.kms.KeyRing:
    """The stack's ring in a region: a new one, or the one that an earlier generation left, which is imported.

    Cloud KMS deletes no ring ("Key rings cannot be deleted", Cloud KMS, "Object hierarchy", read 2026-11-21). It has
    nothing that could differ, so that importing it never fails.
    """
    named = ring_name(place)
    left = None if place.generation == 1 else f"projects/{place.account}/locations/{region}/keyRings/{named}"
    kept = parent.keep(gcp.kms.KeyRing, name, holds, place, depends_on=after, taken_over=left)
    return gcp.kms.KeyRing(kept.name, name=named, project=place.account, location=region, opts=kept.options)


def crypto_key(
    parent: Component, purpose: str, holds: Stateful, place: Place, spec: KeysSpec, ring: gcp.kms.KeyRing
) -> gcp.kms.CryptoKey:
    """A key in the ring; a new one in each generation, since those of a destroyed stack have lost their versions."""
    kept = parent.keep(gcp.kms.CryptoKey, purpose, holds, place)
    return gcp.kms.CryptoKey(
        kept.name,
        name=place.again(purpose),
        key_ring=ring.id,
        purpose="ENCRYPT_DECRYPT",
        rotation_period=days(spec.rotation_days),
        destroy_scheduled_duration=days(spec.deletion_window_days),
        labels=place.labels,
        opts=kept.options,
    )


def ring_name(place: Place) -> str:
    """The key ring's name, the same in both regions: a ring is named within its region, and can never be deleted."""
    return place.name("keys")


def key_id(place: Place, purpose: str, region: str) -> str:
    """A key's full resource id, known before the key exists."""
    return (
        f"projects/{place.account}/locations/{region}/keyRings/{ring_name(place)}/cryptoKeys/{place.again(purpose)}"
    )
