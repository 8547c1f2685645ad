"""Customer-managed Cloud KMS keys: three for the primary region's purposes, one of the backup region's own."""

from __future__ import annotations

from collections.abc import Mapping
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

    Cloud KMS never deletes a ring or a key, only key versions. A stack that was destroyed and is to come back under
    the same name therefore imports them first: `pulumi import gcp:kms/keyRing:KeyRing …`.
    """

    ref: KeysRef

    def __init__(self, name: str, place: Place, spec: KeysSpec, *, provider: pulumi.ProviderResource) -> None:
        super().__init__("gcp:Keys", name, provider)
        primary = self._ring("primary", place, place.region)
        backup = self._ring("backup", place, place.backup_region)
        self.ref = KeysRef(
            cluster=self._key("cluster", place, spec, primary, place.region),
            data=self._key("data", place, spec, primary, place.region),
            logs=self._key("logs", place, spec, primary, place.region),
            recovery=self._key("recovery", place, spec, backup, place.backup_region),
        )
        self.finish({purpose: getattr(self.ref, purpose).id for purpose in USERS})

    def _ring(self, name: str, place: Place, region: str) -> gcp.kms.KeyRing:
        kept = self.keep(gcp.kms.KeyRing, name, RING, place)
        return gcp.kms.KeyRing(
            kept.name,
            name=ring_name(place),
            project=place.account,
            location=region,
            opts=kept.options,
        )

    def _key(self, purpose: str, place: Place, spec: KeysSpec, ring: gcp.kms.KeyRing, region: str) -> KeyRef:
        kept = self.keep(gcp.kms.CryptoKey, purpose, ENCRYPTED[purpose], place)
        key = gcp.kms.CryptoKey(
            kept.name,
            name=purpose,
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=days(spec.rotation_days),
            destroy_scheduled_duration=days(spec.deletion_window_days),
            labels=place.labels,
            opts=kept.options,
        )
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


def ring_name(place: Place) -> str:
    """The key ring's name, the same in both regions: a ring is named within its region, and can never be deleted."""
    return place.name("keys")


def key_id(place: Place, purpose: str, region: str) -> str:
    """A key's full resource id, known before the key exists."""
    return f"projects/{place.account}/locations/{region}/keyRings/{ring_name(place)}/cryptoKeys/{purpose}"
