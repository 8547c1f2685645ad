"""Pulumi's state on Cloud Storage: a versioned, encrypted bucket far from the stacks, its copy, the secrets' key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.bootstrap import BootstrapSpec, StateRef
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeyRef
from components.contracts.stateful import CopiedBy, NotCopied, Stateful
from components.gcp.agents import Agent, agent_member
from components.gcp.buckets import ACCESS_LOG_DAYS, access_log_bucket, private_bucket
from components.gcp.copies import copy_hourly
from components.gcp.keys import RING, USER_ROLE, crypto_key, key_id, key_ring

STATE: Final = Stateful(
    "Pulumi's state, with all its versions",
    CopiedBy.TRANSFER_JOB,
)
COPY: Final = Stateful("the copy of Pulumi's state", NotCopied("it is the copy"))
_ENCRYPTED: Final = {
    purpose: Stateful(
        f"everything encrypted under the key: {content}", NotCopied("key material never leaves Cloud KMS")
    )
    for purpose, content in {
        "state": "Pulumi's state",
        "secrets": "secrets in Pulumi's state",
        "state-copy": "the copy of Pulumi's state",
    }.items()
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
        rings = {
            "state": key_ring(self, "state", RING, place, place.region, after=after),
            "state-copy": key_ring(self, "state-copy", RING, place, place.backup_region, after=after),
        }
        made = {
            purpose: crypto_key(
                self, purpose, _ENCRYPTED[purpose], place, spec.keys, rings.get(purpose, rings["state"])
            )
            for purpose in _ENCRYPTED
        }
        key = self._usable(place, "state", made["state"], place.region)
        copy_key = self._usable(place, "state-copy", made["state-copy"], place.backup_region)
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
        copy, _ = self._copied(place, spec, bucket, copy_key)
        self.ref = StateRef(
            bucket=state_bucket(place),
            backend=ready(f"gs://{state_bucket(place)}", bucket),
            copy=ready(state_bucket(place, place.backup_region), copy),
            secrets_provider=ready(f"gcpkms://{key_id(place, 'secrets', place.region)}", made["secrets"]),
            secrets_key=made["secrets"].id,
            made=(bucket,),
        )
        self.finish({"backend": self.ref.backend, "secrets_provider": self.ref.secrets_provider})

    def _usable(self, place: Place, purpose: str, key: gcp.kms.CryptoKey, region: str) -> KeyRef:
        """The key, once Cloud Storage may use it."""
        usable = gcp.kms.CryptoKeyIAMMember(
            f"{purpose}-storage",
            crypto_key_id=key.id,
            role=USER_ROLE,
            member=agent_member(place, Agent.STORAGE),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return KeyRef(id=ready(key.id, usable), alias=key_id(place, purpose, region), region=region)

    def _copied(
        self, place: Place, spec: BootstrapSpec, state: gcp.storage.Bucket, key: KeyRef
    ) -> tuple[gcp.storage.Bucket, gcp.storage.TransferJob]:
        """The bucket in the other region, and the job that fills it every hour."""
        access_log_bucket("state-copy-logs", parent=self, place=place, key=key, retention_days=ACCESS_LOG_DAYS)
        copy, _ = private_bucket(
            "state-copy",
            COPY,
            parent=self,
            place=place,
            physical_name=state_bucket(place, key.region),
            key=key,
            noncurrent_retention_days=spec.state_retention_days,
        )
        job = copy_hourly(
            "state-copy",
            parent=self,
            place=place,
            job_name=copy_job_name(place),
            description=f"{place.stack}: Pulumi's state to {key.region}, hourly",
            source=("state", state),
            sink=("state-copy", copy),
        )
        return copy, job


def copy_job_name(place: Place) -> str:
    """The transfer job's full name, which metrics and the API use."""
    return f"transferJobs/{place.again(place.name('copy-state', max_length=100))}"


def state_bucket(place: Place, region: str = "") -> str:
    """The name of the state's bucket; in another `region`, of its copy."""
    return place.bucket_name("state", region or place.region)


def state(
    place: Place, spec: BootstrapSpec, *, after: Sequence[pulumi.Resource], provider: pulumi.ProviderResource
) -> StateRef:
    """See `BootstrapModule.state`."""
    return State("state", place, spec, after=after, provider=provider).ref
