"""Pulumi's state on S3: a versioned, encrypted, private bucket far from the stacks, and the key of their secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.bootstrap.trail import audit_bucket, record_accesses
from components.aws.bootstrap.watch import watch_keys
from components.aws.buckets import access_log_bucket, model_bucket
from components.aws.documents import Statement
from components.aws.keys import alarm_service, encrypted, key_policy, log_service, trail_delivery
from components.contracts.bootstrap import BootstrapSpec, StateRef
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeyRef
from components.contracts.specs import StorageSpec
from components.contracts.stateful import NotCopied, Stateful

STATE: Final = Stateful(
    "Pulumi's state, with all its versions",
    NotCopied("it lies in another region than the stacks; what they made can be imported anew"),
)


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
        super().__init__("aws:State", name, provider)
        bucket_name = state_bucket(place)
        users = (alarm_service(place, place.region), log_service(place, place.region), *trail_delivery(place))
        key = self._key("state", "Pulumi's state, its key's record and alarms", place, spec, after, users)
        secrets = self._key("secrets", "secrets in Pulumi's state", place, spec, after)
        logs = access_log_bucket(self, "state-logs", place, place.region, [bucket_name, audit_bucket(place)])
        versions = StorageSpec(noncurrent_retention_days=spec.state_retention_days)
        made = model_bucket(self, "state", STATE, place, versions, bucket_name, key, logs)
        record_accesses(self, place, bucket_name, key, logs)
        watch_keys(self, place, spec, key)
        self.ref = StateRef(
            bucket=bucket_name,
            backend=ready(f"s3://{bucket_name}?region={place.region}", *made.settings),
            # The key's id is known once its alias is there.
            secrets_provider=secrets.id.apply(
                lambda _: f"awskms://{key_alias(place, 'secrets')}?region={place.region}"
            ),
            secrets_key=secrets.id,
            made=made.settings,
        )
        self.finish({"backend": self.ref.backend, "secrets_provider": self.ref.secrets_provider})

    def _key(
        self,
        purpose: str,
        protects: str,
        place: Place,
        spec: BootstrapSpec,
        after: Sequence[pulumi.Resource],
        users: Sequence[Statement] = (),
    ) -> KeyRef:
        kept = self.keep(aws.kms.Key, purpose, encrypted(protects), place, depends_on=after)
        alias = key_alias(place, purpose)
        key = aws.kms.Key(
            kept.name,
            description=f"{place.stack}: {protects}",
            region=place.region,
            policy=key_policy(place, users),
            enable_key_rotation=True,
            rotation_period_in_days=spec.keys.rotation_days,
            deletion_window_in_days=spec.keys.deletion_window_days,
            tags=key_tags(place, purpose) | place.labels,
            opts=kept.options,
        )
        named = aws.kms.Alias(
            purpose,
            name=alias,
            region=place.region,
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return KeyRef(id=ready(key.arn, named), alias=alias, region=place.region)


def state_bucket(place: Place) -> str:
    """The name of the state's bucket."""
    return place.bucket_name("state", place.region)


def bootstrap_stack(place: Place) -> str:
    """The label `stack` of what bootstrap makes."""
    return place.labels["stack"]


def key_tags(place: Place, purpose: str) -> dict[str, str]:
    """The tags by which rights tell bootstrap's keys from others, and from each other."""
    return {"purpose": purpose, "stack": bootstrap_stack(place)}


def key_alias(place: Place, purpose: str) -> str:
    """The alias of the key of `state` or of its `secrets`."""
    return f"alias/{place.name(purpose, max_length=250)}"


def state(
    place: Place, spec: BootstrapSpec, *, after: Sequence[pulumi.Resource], provider: pulumi.ProviderResource
) -> StateRef:
    """See `BootstrapModule.state`."""
    return State("state", place, spec, after=after, provider=provider).ref
