"""Pulumi's state on Cloud Storage: a versioned, encrypted bucket far from the stacks, and their secrets' key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.bootstrap import BootstrapSpec, StateRef
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeyRef
from components.contracts.stateful import NotCopied, Stateful
from components.gcp.agents import Agent, agent_member
from components.gcp.buckets import ACCESS_LOG_DAYS, access_log_bucket, private_bucket
from components.gcp.keys import RING, USER_ROLE, crypto_key, key_id, key_ring

STATE: Final = Stateful(
    "Pulumi's state, with all its versions",
    NotCopied("it lies in another region than the stacks; what they made can be imported anew"),
)
_ENCRYPTED: Final = {
    purpose: Stateful(
        f"everything encrypted under the key: {content}", NotCopied("key material never leaves Cloud KMS")
    )
    for purpose, content in {"state": "Pulumi's state", "secrets": "secrets in Pulumi's state"}.items()
}


class State(Component):
    """The bucket that `pulumi login` names, and the key that `--secrets-provider` names."""

    ref: StateRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: BootstrapSpec,
        *,
        after: Sequence[pulumi.Resource],
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:State", name, provider)
        ring = key_ring(self, "state", RING, place, place.region, after=after)
        made = {
            purpose: crypto_key(self, purpose, _ENCRYPTED[purpose], place, spec.keys, ring) for purpose in _ENCRYPTED
        }
        usable = gcp.kms.CryptoKeyIAMMember(
            "state-storage",
            crypto_key_id=made["state"].id,
            role=USER_ROLE,
            member=agent_member(place, Agent.STORAGE),
            opts=pulumi.ResourceOptions(parent=self),
        )
        key = KeyRef(
            id=ready(made["state"].id, usable), alias=key_id(place, "state", place.region), region=place.region
        )
        access_log_bucket("state-logs", parent=self, place=place, key=key, retention_days=ACCESS_LOG_DAYS)
        bucket, _ = private_bucket(
            "state",
            STATE,
            parent=self,
            place=place,
            physical_name=state_bucket(place),
            key=key,
            noncurrent_retention_days=spec.state_retention_days,
        )
        self.ref = StateRef(
            bucket=state_bucket(place),
            backend=ready(f"gs://{state_bucket(place)}", bucket),
            secrets_provider=ready(f"gcpkms://{key_id(place, 'secrets', place.region)}", made["secrets"]),
            secrets_key=made["secrets"].id,
            made=(bucket,),
        )
        self.finish({"backend": self.ref.backend, "secrets_provider": self.ref.secrets_provider})


def state_bucket(place: Place) -> str:
    """The name of the state's bucket."""
    return place.bucket_name("state", place.region)


def state(
    place: Place, spec: BootstrapSpec, *, after: Sequence[pulumi.Resource], provider: pulumi.ProviderResource
) -> StateRef:
    """See `BootstrapModule.state`."""
    return State("state", place, spec, after=after, provider=provider).ref
