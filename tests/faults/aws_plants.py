"""Faults in a deployed AWS stack: each function plants one, through AWS' own API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.faults.harness import Stand

Plant = Callable[[Stand], None]


# S3 replication


def replication(change: Callable[[dict[str, Any]], object]) -> Plant:
    """Change the replication configuration."""

    def plant(stand: Stand) -> None:
        s3, bucket = stand.aws("s3"), stand.outputs.model_bucket.name
        found = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
        change(found)
        s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration=found)

    return plant


def replication_rule(change: Callable[[dict[str, Any]], object]) -> Plant:
    """Change the one rule."""
    return replication(lambda found: change(found["Rules"][0]))


def no_replication(stand: Stand) -> None:
    stand.aws("s3").delete_bucket_replication(Bucket=stand.outputs.model_bucket.name)


def versioning(status: str, *, far: bool) -> Plant:
    """Suspend the versions of a bucket."""

    def plant(stand: Stand) -> None:
        bucket = stand.outputs.model_replica if far else stand.outputs.model_bucket
        s3 = stand.aws("s3", far=far)
        s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": status})

    return plant


# Roles


def role_policy(kind: str, change: Callable[[dict[str, Any]], object]) -> Plant:
    """Change every statement of a role's inline policies, by the end of the role's name."""

    def plant(stand: Stand) -> None:
        iam, name = stand.aws("iam"), role_name(stand, kind)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                change(statement)
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))

    return plant


def without_action(kind: str, action: str) -> Plant:
    """Take an action away from a role's inline policies."""

    def change(statement: dict[str, Any]) -> None:
        actions = statement["Action"]
        listed = actions if isinstance(actions, list) else [actions]
        if action in listed:
            statement["Action"] = [a for a in listed if a != action] or ["sts:GetCallerIdentity"]

    return role_policy(kind, change)


def trust(kind: str, service: str) -> Plant:
    """Let a role trust another service."""

    def plant(stand: Stand) -> None:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        stand.aws("iam").update_assume_role_policy(
            RoleName=role_name(stand, kind),
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    return plant


def detached(kind: str) -> Plant:
    """Take the managed policies of a role away."""

    def plant(stand: Stand) -> None:
        iam, name = stand.aws("iam"), role_name(stand, kind)
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])

    return plant


def role_denied(kind: str, action: str) -> Plant:
    """Deny an action to a role, whatever else allows it."""

    def plant(stand: Stand) -> None:
        deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
        stand.aws("iam").put_role_policy(
            RoleName=role_name(stand, kind),
            PolicyName="denied",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
        )

    return plant


def bounded(kind: str, action: str) -> Plant:
    """Let a role do this action at most."""

    def plant(stand: Stand) -> None:
        iam = stand.aws("iam")
        allow = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        made = iam.create_policy(PolicyName=f"bounds-{kind}", PolicyDocument=document)["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName=role_name(stand, kind), PermissionsBoundary=made)

    return plant


def conditioned(kind: str, key: str) -> Plant:
    """Add a condition on a key to each of a role's rights."""

    def change(statement: dict[str, Any]) -> None:
        condition = statement.setdefault("Condition", {})
        condition["StringEquals"] = {**condition.get("StringEquals", {}), key: "x"}

    return role_policy(kind, change)


def role_name(stand: Stand, kind: str) -> str:
    """The stack's role whose name ends so; `fleet` is the one that the fleet's pods take on."""
    if kind == "fleet":
        return stand.outputs.identities.fleet.principal.rpartition("/")[2]
    pages = stand.aws("iam").get_paginator("list_roles").paginate()
    [name] = [r["RoleName"] for page in pages for r in page["Roles"] if r["RoleName"].endswith(f"-{kind}")]
    return name


# Keys


def key_disabled(*, far: bool) -> Plant:
    def plant(stand: Stand) -> None:
        key = stand.outputs.keys.recovery if far else stand.outputs.keys.data
        stand.aws("kms", far=far).disable_key(KeyId=key.id)

    return plant


def key_deleted(*, far: bool) -> Plant:
    def plant(stand: Stand) -> None:
        key = stand.outputs.keys.recovery if far else stand.outputs.keys.data
        stand.aws("kms", far=far).schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)

    return plant


def key_policy_without_account(*, far: bool) -> Plant:
    """A key's policy that hands nothing to the account's IAM policies any more, but lets it be administered."""

    def plant(stand: Stand) -> None:
        key = stand.outputs.keys.recovery if far else stand.outputs.keys.data
        root = {"AWS": f"arn:aws:iam::{stand.outputs.account}:root"}
        statement = {
            "Effect": "Allow",
            "Principal": root,
            "Action": ["kms:Describe*", "kms:Put*", "kms:Get*", "kms:List*"],
            "Resource": "*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        stand.aws("kms", far=far).put_key_policy(KeyId=key.id, PolicyName="default", Policy=policy)

    return plant


# AWS Backup


def plan(change: Callable[[dict[str, Any]], object]) -> Plant:
    """Change every rule of the plan."""

    def plant(stand: Stand) -> None:
        backup = stand.aws("backup")
        [listed] = backup.list_backup_plans()["BackupPlansList"]
        found = backup.get_backup_plan(BackupPlanId=listed["BackupPlanId"])["BackupPlan"]
        found.pop("AdvancedBackupSettings", None)
        for rule in found["Rules"]:
            rule.pop("RuleId", None)
            change(rule)
        backup.update_backup_plan(BackupPlanId=listed["BackupPlanId"], BackupPlan=found)

    return plant


def selection(change: Callable[[dict[str, Any]], object]) -> Plant:
    """Replace the selection by a changed one."""

    def plant(stand: Stand) -> None:
        backup = stand.aws("backup")
        [listed] = backup.list_backup_plans()["BackupPlansList"]
        plan_id = listed["BackupPlanId"]
        [chosen] = backup.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"]
        body = backup.get_backup_selection(BackupPlanId=plan_id, SelectionId=chosen["SelectionId"])["BackupSelection"]
        backup.delete_backup_selection(BackupPlanId=plan_id, SelectionId=chosen["SelectionId"])
        change(body)
        backup.create_backup_selection(BackupPlanId=plan_id, BackupSelection=body)

    return plant


def no_selection(stand: Stand) -> None:
    backup = stand.aws("backup")
    [listed] = backup.list_backup_plans()["BackupPlansList"]
    for each in backup.list_backup_selections(BackupPlanId=listed["BackupPlanId"])["BackupSelectionsList"]:
        backup.delete_backup_selection(BackupPlanId=listed["BackupPlanId"], SelectionId=each["SelectionId"])


def vault_policy(*statements: dict[str, Any], far: bool = True) -> Plant:
    """Give a vault this policy."""

    def plant(stand: Stand) -> None:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        stand.aws("backup", far=far).put_backup_vault_access_policy(
            BackupVaultName=stand.outputs.backup.vault, Policy=json.dumps(document)
        )

    return plant


def vault_lock(**lock: int) -> Plant:
    """Lock the vault in the backup region in another way; without days it has no lock at all."""

    def plant(stand: Stand) -> None:
        backup, vault = stand.aws("backup", far=True), stand.outputs.backup.vault
        if lock:
            backup.put_backup_vault_lock_configuration(BackupVaultName=vault, **lock)
        else:
            backup.delete_backup_vault_lock_configuration(BackupVaultName=vault)

    return plant


def deny(*actions: str) -> dict[str, Any]:
    """A statement that denies to everybody."""
    return {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": "*"}


def no_plan(stand: Stand) -> None:
    no_selection(stand)
    backup = stand.aws("backup")
    [listed] = backup.list_backup_plans()["BackupPlansList"]
    backup.delete_backup_plan(BackupPlanId=listed["BackupPlanId"])


def copies_to(*, far: bool, vault: str = "") -> Plant:
    """Let the plan copy to another vault, which is made if it has no name."""

    def plant(stand: Stand) -> None:
        region = stand.outputs.backup_region if far else stand.outputs.region
        name = vault or "elsewhere"
        if not vault:
            stand.aws("backup", far=far).create_backup_vault(BackupVaultName=name)
        arn = f"arn:aws:backup:{region}:{stand.outputs.account}:backup-vault:{name}"
        plan(lambda rule: rule["CopyActions"][0].update(DestinationBackupVaultArn=arn))(stand)

    return plant


def lock_then_plan(lock: dict[str, int], change: Callable[[dict[str, Any]], object]) -> Plant:
    """Change the lock, then the plan."""

    def plant(stand: Stand) -> None:
        vault_lock(**lock)(stand)
        plan(change)(stand)

    return plant


# S3 buckets


def replicate_to_another_bucket(stand: Stand) -> None:
    s3, name = stand.aws("s3", far=True), f"elsewhere-{stand.outputs.account}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": stand.outputs.backup_region})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    replication_rule(lambda rule: rule["Destination"].update(Bucket=f"arn:aws:s3:::{name}"))(stand)


def bucket_denies(action: str, *, far: bool, service: str = "") -> Plant:
    """Add a deny to a bucket's policy; for one role by the end of its name, or for everybody."""

    def plant(stand: Stand) -> None:
        bucket, s3 = (
            (stand.outputs.model_replica if far else stand.outputs.model_bucket).name,
            stand.aws("s3", far=far),
        )
        document = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        role = f"arn:aws:iam::{stand.outputs.account}:role/{role_name(stand, service)}" if service else ""
        arn = f"arn:aws:s3:::{bucket}"
        principal = {"AWS": role} if role else "*"
        denied = {"Effect": "Deny", "Principal": principal, "Action": action, "Resource": [arn, f"{arn}/*"]}
        document["Statement"].append(denied)
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))

    return plant


def lifecycle(*rules: dict[str, Any], far: bool) -> Plant:
    """Give a bucket these lifecycle rules alone."""

    def plant(stand: Stand) -> None:
        bucket = (stand.outputs.model_replica if far else stand.outputs.model_bucket).name
        whole = [{"ID": f"rule-{n}", "Status": "Enabled", "Filter": {"Prefix": ""}, **r} for n, r in enumerate(rules)]
        stand.aws("s3", far=far).put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": whole}
        )

    return plant


def open_to_the_public(*, far: bool) -> Plant:
    def plant(stand: Stand) -> None:
        bucket = (stand.outputs.model_replica if far else stand.outputs.model_bucket).name
        stand.aws("s3", far=far).delete_public_access_block(Bucket=bucket)

    return plant


def encrypted_by_s3_itself(*, far: bool) -> Plant:
    """New objects are no longer encrypted with the stack's key."""

    def plant(stand: Stand) -> None:
        bucket = (stand.outputs.model_replica if far else stand.outputs.model_bucket).name
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        stand.aws("s3", far=far).put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
        )

    return plant


# Releases


def put(key: str, content: bytes) -> Plant:
    """Write an object of the model bucket; `{release}` stands for the fleet's release."""

    def plant(stand: Stand) -> None:
        name = key.format(release=stand.release)
        stand.aws("s3").put_object(Bucket=stand.outputs.model_bucket.name, Key=name, Body=content)

    return plant


def damaged(ends_with: str) -> Plant:
    """Change a byte of an object of the fleet's release."""

    def plant(stand: Stand) -> None:
        s3, bucket = stand.aws("s3"), stand.outputs.model_bucket.name
        key = object_of(stand, ends_with)
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=bucket, Key=key, Body=bytes([body[0] ^ 1]) + body[1:])

    return plant


def deleted(ends_with: str) -> Plant:
    """Delete an object of the fleet's release."""

    def plant(stand: Stand) -> None:
        key = object_of(stand, ends_with)
        stand.aws("s3").delete_object(Bucket=stand.outputs.model_bucket.name, Key=key)

    return plant


def object_of(stand: Stand, ends_with: str) -> str:
    """The first object of the bucket whose key ends so."""
    pages = stand.aws("s3").get_paginator("list_objects_v2").paginate(Bucket=stand.outputs.model_bucket.name)
    return next(o["Key"] for page in pages for o in page["Contents"] if o["Key"].endswith(ends_with))


# DynamoDB


def point_in_time_recovery_off(stand: Stand) -> None:
    stand.aws("dynamodb").update_continuous_backups(
        TableName=stand.outputs.feature_store.name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
    )


def time_to_live(attribute: str, *, enabled: bool) -> Plant:
    def plant(stand: Stand) -> None:
        stand.aws("dynamodb").update_time_to_live(
            TableName=stand.outputs.feature_store.name,
            TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute},
        )

    return plant


def no_deletion_protection(stand: Stand) -> None:
    name = stand.outputs.feature_store.name
    stand.aws("dynamodb").update_table(TableName=name, DeletionProtectionEnabled=False)


def table_made_anew(key: str = "") -> Plant:
    """The table, deleted and made again by hand: without recovery, time to live, or the right key."""

    def plant(stand: Stand) -> None:
        no_deletion_protection(stand)
        dynamodb, name = stand.aws("dynamodb"), stand.outputs.feature_store.name
        dynamodb.delete_table(TableName=name)
        encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key or stand.outputs.keys.data.id}
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            SSESpecification=encryption,
        )

    return plant


def table_under_another_key(stand: Stand) -> None:
    stand.aws("dynamodb").update_table(
        TableName=stand.outputs.feature_store.name,
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": stand.outputs.keys.cluster.id},
    )


def row(change: Callable[[dict[str, Any]], object]) -> Plant:
    """Change one of production's rows."""

    def plant(stand: Stand) -> None:
        dynamodb, name = stand.aws("dynamodb"), stand.outputs.feature_store.name
        items = dynamodb.scan(TableName=name)["Items"]
        item = next(i for i in items if not i["entity_id"]["S"].startswith("seawall-"))
        change(item)
        dynamodb.put_item(TableName=name, Item=item)

    return plant


def rows_gone(stand: Stand) -> None:
    """Half of production's rows are deleted."""
    dynamodb, name = stand.aws("dynamodb"), stand.outputs.feature_store.name
    items = [i for i in dynamodb.scan(TableName=name)["Items"] if not i["entity_id"]["S"].startswith("seawall-")]
    for item in items[::2]:
        dynamodb.delete_item(TableName=name, Key={"entity_id": item["entity_id"]})


def near_vault_unlocked(stand: Stand) -> None:
    backup = stand.aws("backup")
    [listed] = backup.list_backup_plans()["BackupPlansList"]
    rules = backup.get_backup_plan(BackupPlanId=listed["BackupPlanId"])["BackupPlan"]["Rules"]
    backup.delete_backup_vault_lock_configuration(BackupVaultName=rules[0]["TargetBackupVaultName"])


def no_bucket_policy(*, far: bool) -> Plant:
    def plant(stand: Stand) -> None:
        bucket = (stand.outputs.model_replica if far else stand.outputs.model_bucket).name
        stand.aws("s3", far=far).delete_bucket_policy(Bucket=bucket)

    return plant


def fewer_rules(stand: Stand) -> None:
    """The plan keeps its first rule alone."""
    backup = stand.aws("backup")
    [listed] = backup.list_backup_plans()["BackupPlansList"]
    found = backup.get_backup_plan(BackupPlanId=listed["BackupPlanId"])["BackupPlan"]
    found.pop("AdvancedBackupSettings", None)
    found["Rules"] = [{k: v for k, v in found["Rules"][0].items() if k != "RuleId"}]
    backup.update_backup_plan(BackupPlanId=listed["BackupPlanId"], BackupPlan=found)


# The fleet


def no_association(stand: Stand) -> None:
    """The fleet's pods are nobody any more."""
    eks, cluster = stand.aws("eks"), stand.outputs.cluster.name
    for each in eks.list_pod_identity_associations(clusterName=cluster)["associations"]:
        eks.delete_pod_identity_association(clusterName=cluster, associationId=each["associationId"])
