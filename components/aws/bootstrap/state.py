"""Pulumi's state on S3: a versioned, encrypted, private bucket far from the stacks, and the key of their secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.bootstrap.trail import audit_bucket, record_accesses
from components.aws.bootstrap.watch import watch_keys
from components.aws.buckets import MadeBucket, access_log_bucket, model_bucket
from components.aws.documents import Statement
from components.aws.keys import alarm_service, encrypted, key_policy, log_service, trail_delivery
from components.aws.monitoring import metric_alarm, replication_alarms
from components.aws.replication import replicate
from components.contracts.bootstrap import STATE_COPY_MINUTES, BootstrapSpec, StateRef
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeyRef
from components.contracts.specs import StorageSpec
from components.contracts.stateful import CopiedBy, NotCopied, Stateful

STATE: Final = Stateful("Pulumi's state, with all its versions", CopiedBy.REPLICATION)
COPY: Final = Stateful("the copy of Pulumi's state", NotCopied("it is the copy"))


class StateCopy(Component):
    """The bucket in the other region that the state is copied to, under a key of that region, and who is told."""

    def __init__(
        self,
        name: str,
        place: Place,
        spec: BootstrapSpec,
        *,
        after: Sequence[pulumi.Resource],
        provider: pulumi.ProviderResource,
    ) -> None:
        """`place` is the copy's own: both its regions are where the copy lies."""
        super().__init__("aws:StateCopy", name, provider)
        self.bucket_name = state_bucket(place)
        users = (alarm_service(place, place.region), log_service(place, place.region))
        protects = "the copy of Pulumi's state, its key's record and alarms"
        self.key = _key(self, "state-copy", protects, place, spec, after, users)
        logs = access_log_bucket(self, "state-copy-logs", place, place.region, [self.bucket_name])
        self.made = model_bucket(
            self, "state-copy", COPY, place, _versions(spec), self.bucket_name, self.key, logs, is_copy=True
        )
        self.channel = watch_keys(self, place, spec, self.key)
        self.finish({"bucket": ready(self.bucket_name, *self.made.settings)})


class State(Component):
    """The bucket that `pulumi login` names, and the key that `--secrets-provider` names."""

    ref: StateRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: BootstrapSpec,
        *,
        copy: StateCopy,
        after: Sequence[pulumi.Resource],
        provider: pulumi.ProviderResource,
    ) -> None:
        """`place` is the state's own: both its regions are where the state lies."""
        super().__init__("aws:State", name, provider)
        bucket_name = state_bucket(place)
        users = (alarm_service(place, place.region), log_service(place, place.region), *trail_delivery(place))
        key = _key(self, "state", "Pulumi's state, its key's record and alarms", place, spec, after, users)
        secrets = _key(self, "secrets", "secrets in Pulumi's state", place, spec, after)
        logs = access_log_bucket(self, "state-logs", place, place.region, [bucket_name, audit_bucket(place)])
        made = model_bucket(self, "state", STATE, place, _versions(spec), bucket_name, key, logs)
        rule = self._replicate(place, (bucket_name, made), copy)
        record_accesses(self, place, [bucket_name, copy.bucket_name], key, logs)
        channel = watch_keys(self, place, spec, key)
        self._watch_replication(place, bucket_name, copy, channel)
        self.ref = StateRef(
            bucket=bucket_name,
            backend=ready(f"s3://{bucket_name}?region={place.region}", *made.settings, rule),
            copy=ready(copy.bucket_name, *copy.made.settings),
            # The key's id is known once its alias is there.
            secrets_provider=secrets.id.apply(
                lambda _: f"awskms://{key_alias(place, 'secrets')}?region={place.region}"
            ),
            secrets_key=secrets.id,
            made=made.settings,
        )
        self.finish({"backend": self.ref.backend, "secrets_provider": self.ref.secrets_provider})

    def _replicate(
        self, place: Place, state: tuple[str, MadeBucket], copy: StateCopy
    ) -> aws.s3.BucketReplicationConfig:
        return replicate(
            self,
            "state",
            replace(place, backup_region=copy.key.region),
            what="Pulumi's state",
            source=state,
            target=(copy.bucket_name, copy.made),
            key=copy.key,
            bounded=False,
        )

    def _watch_replication(self, place: Place, state: str, copy: StateCopy, channel: pulumi.Output[str]) -> None:
        alarms = replication_alarms(state, copy.bucket_name, "Pulumi's state", STATE_COPY_MINUTES)
        for purpose, alarm in alarms.items():
            region, told = (copy.key.region, copy.channel) if alarm.away else (place.region, channel)
            metric_alarm(self, place, purpose, alarm, told, region=region)


def _key(
    parent: Component,
    purpose: str,
    protects: str,
    place: Place,
    spec: BootstrapSpec,
    after: Sequence[pulumi.Resource],
    users: Sequence[Statement] = (),
) -> KeyRef:
    kept = parent.keep(aws.kms.Key, purpose, encrypted(protects), place, depends_on=after)
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
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return KeyRef(id=ready(key.arn, named), alias=alias, region=place.region)


def _versions(spec: BootstrapSpec) -> StorageSpec:
    return StorageSpec(noncurrent_retention_days=spec.state_retention_days)


def state_bucket(place: Place) -> str:
    """The name of the state's bucket; of its copy's, for a place in the copy's region."""
    return place.bucket_name("state", place.region)


def bootstrap_stack(place: Place) -> str:
    """The label `stack` of what bootstrap makes."""
    return place.labels["stack"]


def key_tags(place: Place, purpose: str) -> dict[str, str]:
    """The tags by which rights tell bootstrap's keys from others, and from each other."""
    return {"purpose": purpose, "stack": bootstrap_stack(place)}


def key_alias(place: Place, purpose: str) -> str:
    """The alias of the key of `state`, of its `secrets`, or of the `state-copy`."""
    return f"alias/{place.name(purpose, max_length=250)}"


def state(
    place: Place, spec: BootstrapSpec, *, after: Sequence[pulumi.Resource], provider: pulumi.ProviderResource
) -> StateRef:
    """See `BootstrapModule.state`."""
    away, home = replace(place, region=place.backup_region), replace(place, backup_region=place.region)
    copy = StateCopy("state-copy", away, spec, after=after, provider=provider)
    return State("state", home, spec, copy=copy, after=after, provider=provider).ref
