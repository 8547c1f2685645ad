"""What holds state is declared where it is made, protected, and copied as declared, in all stacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pulumi_aws as aws
import pytest

from common.errors import UserError
from common.sdk.types import input_properties
from components.contracts.component import Component
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.images import PUBLIC_IMAGES
from components.contracts.place import Place
from components.contracts.stateful import GUARDS, CopiedBy, NotCopied, Stateful
from components.contracts.vocabulary import Cloud, Environment
from ops.plan.planner import plan_program
from policies.inventory import Inventory, Resource

CAN_HOLD_DATA: Final = re.compile(
    r"kms|cmek|encrypt|customerManagedKey|retention|skipDestroy|" + "|".join(GUARDS), re.IGNORECASE
)
"""What the inputs speak of where a type can hold data: whose key it is under, how long it is kept, how it goes."""

STATELESS_TYPES: Final[Mapping[str, str]] = {
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": "a setting of a vault",
    "aws:cloudwatch/eventRule:EventRule": "a pattern: what it matches goes on",
    "aws:cloudwatch/eventTarget:EventTarget": "where events go on to",
    "aws:cloudtrail/trail:Trail": "writes records into a bucket, and keeps none",
    "aws:ec2/subnet:Subnet": "addresses",
    "aws:ec2/launchTemplate:LaunchTemplate": "machines whose disks go with them",
    "aws:kms/alias:Alias": "a name",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "a setting of a bucket",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "a setting of a bucket",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": "a setting of a bucket",
    "aws:sns/topic:Topic": "passes messages on and keeps none",
    "gcp:container/nodePool:NodePool": "machines whose disks go with them",
    "gcp:dns/managedZone:ManagedZone": "records that are in the program",
    "gcp:firestore/backupSchedule:BackupSchedule": "a schedule: its backups are the database's, and outlive it",
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": "a grant",
    "gcp:monitoring/notificationChannel:NotificationChannel": "an address",
}
"""Types that speak like those that hold data, and hold none → what they are."""

STATELESS: Final[Mapping[tuple[str, str], str]] = {
    ("registry", name): "`seawall images sync` copies the public images again"
    for image in ("mirror", *PUBLIC_IMAGES)
    for name in (image, f"{image}-copy")
}
"""(component, logical name) of a type that holds data elsewhere → why this one does not."""

NO_GUARD: Final[Mapping[str, str]] = {
    "deletionPolicy": "the provider's own, which forbids what Pulumi's protect forbids",
    "deletionWindowInDays": "a key's time for second thoughts, which the settings give",
    "destroyScheduledDuration": "a key's time for second thoughts, which the settings give",
    "skipDestroy": "the provider's own, which does what Pulumi's retainOnDelete does",
    "softDeletePolicy": "a grace time for objects, not protection of the bucket",
}
"""Inputs whose names speak of deletion, and that are not the cloud's own deletion protection → what they are."""

Finder = Callable[[Inventory, Resource], bool]


def _replicated(inventory: Inventory, bucket: Resource) -> bool:
    token = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
    return any(
        rule.get("rules.0.status") == "Enabled" and bucket in inventory.linked(rule, "bucket")
        for rule in inventory.of_type(token)
    )


def _transferred(inventory: Inventory, bucket: Resource) -> bool:
    return any(
        job.get("status") == "ENABLED" and job.get("transferSpec.gcsDataSource.bucketName") == bucket.get("name")
        for job in inventory.of_type("gcp:storage/transferJob:TransferJob")
    )


def _in_backup_plan(inventory: Inventory, resource: Resource) -> bool:
    """Selected by a plan that copies its points, or a vault whose points such a plan copies."""
    copying = [
        plan
        for plan in inventory.of_type("aws:backup/plan:Plan")
        if plan.get("rules.0.copyActions.0.destinationVaultArn") is not None
    ]
    selected = (
        resource in inventory.linked(selection, "resources")
        and any(plan in copying for plan in inventory.linked(selection, "planId"))
        for selection in inventory.of_type("aws:backup/selection:Selection")
    )
    return any(selected) or any(
        # The other vault that a plan names is where its copies go, in another region.
        resource in inventory.linked(plan, "rules") and resource.region == plan.region
        for plan in copying
    )


def _exported(inventory: Inventory, store: Resource) -> bool:
    return any(
        f"/{store.get('name')}:export" in job.get("httpTarget.uri")
        for job in inventory.of_type("gcp:cloudscheduler/job:Job")
    )


def _in_cluster_backup(inventory: Inventory, cluster: Resource) -> bool:
    return any(
        cluster in inventory.linked(plan, "cluster") and plan.get("backupSchedule.paused") is False
        for plan in inventory.of_type("gcp:gkebackup/backupPlan:BackupPlan")
    )


def _clustered(inventory: Inventory, store: Resource) -> bool:
    """An instance, or a table of one, with a cluster in the backup region and backups of the table."""
    token = "gcp:bigtable/instance:Instance"
    instances = [store] if store.type == token else inventory.linked(store, "instanceName", token)
    away = [
        cluster
        for instance in instances
        for cluster in instance.get("clusters")
        if not cluster["zone"].startswith(f"{inventory.settings['region']}-")
    ]
    tables = [
        table
        for table in inventory.of_type("gcp:bigtable/table:Table")
        if any(instance in instances for instance in inventory.linked(table, "instanceName", token))
    ]
    return bool(away and tables) and all(table.get("automatedBackupPolicy.frequency") for table in tables)


def _has_twin(inventory: Inventory, repository: Resource) -> bool:
    """A repository of the same name in the backup region, which `seawall images sync` fills."""
    if repository.type not in COPIER_TYPES[CopiedBy.IMAGE_SYNC]:
        return False
    name = "repositoryId" if repository.type.startswith("gcp:") else "name"
    return any(
        twin.region == inventory.settings["backup"]["region"] != repository.region
        and twin.get(name) == repository.get(name)
        for twin in inventory.of_type(repository.type)
    )


def _in_global_datastore(inventory: Inventory, store: Resource) -> bool:
    """The primary of a global datastore whose secondary, in the backup region, makes snapshots."""
    token = "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup"
    return any(
        group.region == inventory.settings["backup"]["region"] and group.get("snapshotRetentionLimit", 0) > 0
        for datastore in inventory.of_type(token)
        if store in inventory.linked(datastore, "primaryReplicationGroupId")
        for group in inventory.of_type(store.type)
        if datastore in inventory.linked(group, "globalReplicationGroupId")
    )


COPIERS: Final[Mapping[CopiedBy, Finder]] = {
    CopiedBy.REPLICATION: _replicated,
    CopiedBy.TRANSFER_JOB: _transferred,
    CopiedBy.BACKUP_PLAN: _in_backup_plan,
    CopiedBy.EXPORT: _exported,
    CopiedBy.CLUSTER_BACKUP: _in_cluster_backup,
    CopiedBy.GLOBAL_DATASTORE: _in_global_datastore,
    CopiedBy.CLUSTER: _clustered,
    CopiedBy.IMAGE_SYNC: _has_twin,
}
"""How to find, in an inventory, that a resource is copied as it declares."""


@pytest.fixture(params=[(k, e) for k in FeatureStoreKind for e in Environment], ids=lambda p: f"{p[1]}-{p[0]}")
def stack(request: pytest.FixtureRequest, plan_platform: Any, stores: Any) -> Any:
    """A stack of each environment with each kind of feature store in turn."""
    kind, environment = request.param
    cloud, changes = stores[kind]
    return plan_platform(cloud, environment=environment, **changes)


def stateful(platform: Any) -> Iterator[tuple[Resource, Stateful]]:
    """What is declared to hold state."""
    yield from ((r, r.stateful) for r in platform.inventory.resources if r.stateful)


def named(platform: Any, resource: Resource) -> tuple[str, str]:
    """The component's name and the resource's."""
    parent = platform.inventory.by_urn.get(resource.parent)
    return (parent.name if parent else "", resource.name)


def test_every_stack_has_state(stack: Any) -> None:
    assert len(list(stateful(stack))) > 10, "the claims below are about something"


class Careless(Component):
    """Declares what a topic holds, and makes another one, with or without the options that follow from it."""

    def __init__(self, place: Place, name: str) -> None:
        super().__init__("test:Careless", "careless", aws.Provider("aws", region="eu-west-1"))
        kept = self.keep(aws.sns.Topic, "declared", Stateful("messages", NotCopied("a test")), place)
        aws.sns.Topic(name, opts=kept.options)
        self.finish({})


def test_a_declaration_that_nothing_was_made_from_is_refused(aws_platform: Any) -> None:
    with pytest.raises(UserError, match="declares what 'declared'"):
        plan_program(lambda: Careless(aws_platform.place, "another") and None, "test")


def test_what_holds_state_is_protected(stack: Any) -> None:
    assert not {r.urn for r, _ in stateful(stack) if not r.protect}


def test_what_is_protected_or_retained_is_declared(stack: Any) -> None:
    kept = {r.urn for r in stack.inventory.resources if (r.protect or r.retain_on_delete) and not r.stateful}
    assert not kept, "diffs and backups go by the declaration"


def test_production_keeps_state_that_leaves_the_program(stack: Any) -> None:
    retained = {r.retain_on_delete for r, _ in stateful(stack)}
    assert retained == {stack.settings.environment is Environment.PROD}


def test_what_holds_state_has_the_clouds_own_deletion_protection(stack: Any) -> None:
    open_doors = {
        (r.urn, guard, r.get(guard))
        for r, _ in stateful(stack)
        for guard, safe in GUARDS.items()
        if guard in input_properties(r.type) and r.get(guard) not in safe
    }
    assert not open_doors


def test_every_input_that_speaks_of_deletion_is_known(stack: Any) -> None:
    speaks = re.compile(r"delet|destroy|prevent(?!ion)", re.IGNORECASE)
    inputs = {name for r, _ in stateful(stack) for name in input_properties(r.type) if speaks.search(name)}
    assert not inputs - GUARDS.keys() - NO_GUARD.keys(), "say which of its values resist deletion, or what else it is"


def test_what_can_hold_data_is_declared_or_said_to_be_stateless(stack: Any) -> None:
    silent = {
        r.urn
        for r in stack.inventory.resources
        if r.custom
        and r.type.startswith(("aws:", "gcp:"))
        and any(CAN_HOLD_DATA.search(name) for name in input_properties(r.type))
        and r.stateful is None
        and r.type not in STATELESS_TYPES
        and named(stack, r) not in STATELESS
    }
    assert not silent, "declare what it holds with `Component.keep`, or say here why it holds nothing"


def test_what_is_said_to_be_stateless_is_not_declared_stateful(stack: Any) -> None:
    both = {r.urn for r, _ in stateful(stack) if r.type in STATELESS_TYPES or named(stack, r) in STATELESS}
    assert not both


def test_state_is_copied_as_it_declares(stack: Any) -> None:
    alone = {
        (r.urn, state.copies)
        for r, state in stateful(stack)
        if not isinstance(state.copies, NotCopied) and not COPIERS[state.copies](stack.inventory, r)
    }
    assert not alone, "nothing in the stack copies it so"


def test_what_is_copied_says_so(stack: Any) -> None:
    copied = {
        (r.urn, copier)
        for r, state in stateful(stack)
        for copier, finds in COPIERS.items()
        if isinstance(state.copies, NotCopied) and finds(stack.inventory, r)
    }
    assert not copied, "it is declared as not copied"


def test_every_way_of_copying_is_used_by_some_stack(plan_platform: Any, stores: Any) -> None:
    plans = [plan_platform(cloud, **changes) for cloud, changes in stores.values()]
    used = {state.copies for plan in plans for _, state in stateful(plan)}
    assert used >= set(CopiedBy) == COPIERS.keys()


def test_opting_out_of_protection_frees_the_whole_stack(cloud: Cloud, plan_platform: Any, opted_out: Any) -> None:
    platform = plan_platform(cloud, opt_outs=opted_out)
    held = {
        r.urn
        for r in platform.inventory.resources
        if r.protect or any(r.get(guard) in safe for guard, safe in GUARDS.items() if guard in r.inputs)
    }
    assert not held, "a stack that may be destroyed must be destroyable in one go"


def test_a_declaration_survives_the_plans_json(platform: Any) -> None:
    again = Inventory.from_json(platform.inventory.to_json())
    assert [r.stateful for r in again.resources] == [r.stateful for r in platform.inventory.resources]


def test_each_resource_has_its_own_words(aws_platform: Any) -> None:
    words = {
        name: aws_platform.one("storage", name, "aws:s3/bucket:Bucket").stateful.holds for name in ("models", "logs")
    }
    assert "releases" in words["models"] and "access logs" in words["logs"]


COPIER_TYPES: Final[Mapping[CopiedBy, tuple[str, ...]]] = {
    CopiedBy.REPLICATION: ("aws:s3/bucketReplicationConfig:BucketReplicationConfig",),
    CopiedBy.TRANSFER_JOB: ("gcp:storage/transferJob:TransferJob",),
    CopiedBy.BACKUP_PLAN: ("aws:backup/plan:Plan",),
    CopiedBy.EXPORT: ("gcp:cloudscheduler/job:Job",),
    CopiedBy.CLUSTER_BACKUP: ("gcp:gkebackup/backupPlan:BackupPlan",),
    CopiedBy.GLOBAL_DATASTORE: ("aws:elasticache/globalReplicationGroup:GlobalReplicationGroup",),
    CopiedBy.CLUSTER: ("gcp:bigtable/table:Table",),
    CopiedBy.IMAGE_SYNC: (
        "aws:ecr/repository:Repository",
        "gcp:artifactregistry/repository:Repository",
    ),
}


def test_state_without_its_copier_is_found_out(platform: Any) -> None:
    inventory = platform.inventory
    for resource, state in stateful(platform):
        if isinstance(state.copies, NotCopied):
            continue
        left = tuple(r for r in inventory.resources if r.type not in COPIER_TYPES[state.copies])
        assert len(left) < len(inventory.resources)
        assert not COPIERS[state.copies](Inventory(inventory.stack, inventory.settings, left), resource)
