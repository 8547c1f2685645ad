"""Keys, tables, trails and registries of AWS whose own inputs send data or custody elsewhere."""

from __future__ import annotations

from typing import Any, Final

from common.iam.context import matches
from policies.aws_holders import ROLE
from policies.buckets import s3_names
from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    equals,
    expect,
    failed,
    if_given,
    is_hidden,
    items,
    one_of,
    passed,
    read,
    shown,
    unknown,
)  # fmt: skip
from policies.documents import statements
from policies.examples import Hidden, Output, allow, document, drop, examples, given, put, without
from policies.family import Family
from policies.grants import own_account
from policies.inventory import Inventory, Resource
from policies.links import refers_to
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import CLOUDTRAIL, DYNAMODB_TABLE, ECR_REPOSITORY, KMS_KEY, S3_BUCKET

family = Family("Custody and copies on AWS")

_SELECTION: Final = "aws:backup/selection:Selection"
_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_BACKS_UP: Final = "service-role/AWSBackupServiceRolePolicyForBackup"
_SCANNING: Final = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
_EXTERNAL: Final = "aws:kms/externalKey:ExternalKey"
_MOST_DAYS: Final = 365
_AUTOMATIC: Final = ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")


@family.rule(
    "aws-kms-custody",
    Severity.HIGH,
    "Keys are of KMS' own material, of one region, and turn at least each year",
    types=(KMS_KEY, _EXTERNAL),
    rationale="Material that lies elsewhere goes with that place, a key of many regions is in the hands of each, and "
    "a policy without a way back locks everybody out.",
    remedy="Leave multiRegion, customKeyStoreId, xksKeyId and bypassPolicyLockoutSafetyCheck out; import none.",
    frameworks={Framework.NIST_800_53: ("SC-12",)},
    examples=lambda: examples(
        given(KMS_KEY, {"policy": document(_account()), "rotationPeriodInDays": 90}, "custody"),
        broken={
            "multiRegion is true": put("multiRegion", True),
            "bypassPolicyLockoutSafetyCheck is true": put("bypassPolicyLockoutSafetyCheck", True),
            'keyUsage is "SIGN_VERIFY"': put("keyUsage", "SIGN_VERIFY"),
            'customKeyStoreId is "cks-1"': put("customKeyStoreId", "cks-1"),
            'xksKeyId is "x"': put("xksKeyId", "x"),
            "rotationPeriodInDays is 366": put("rotationPeriodInDays", 366),
            "policy is absent": drop("policy"),
            "policy is no statement by which the account decides": (
                put("policy.Statement.0.Principal", {"AWS": "arn:aws:iam::999988887777:root"}),
                put("policy.Statement.0.Action", "kms:Decrypt"),
                put("policy.Statement.0.Condition", {"StringEquals": {"aws:PrincipalTag/team": "x"}}),
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={"": drop("rotationPeriodInDays")},
    ),
)
def kms_custody(key: Resource, inventory: Inventory) -> Judgement:
    if key.type == _EXTERNAL:
        return failed("", "a key whose material is imported", "a key of KMS' own material")
    days = "rotationPeriodInDays"
    return all_of(
        (
            *(if_given(key, p, lambda p=p: equals(key, p, False)) for p in _FLAGS),
            *(if_given(key, p, lambda p=p: failed(p, shown(read(key, p)), "absent")) for p in _STORES),
            if_given(key, "keyUsage", lambda: equals(key, "keyUsage", "ENCRYPT_DECRYPT")),
            if_given(key, days, lambda: expect(key, days, f"at most {_MOST_DAYS}", lambda v: float(v) <= _MOST_DAYS)),
            _account_decides(key, own_account(inventory)),
        )
    )


_FLAGS: Final = ("multiRegion", "bypassPolicyLockoutSafetyCheck")
_STORES: Final = ("customKeyStoreId", "xksKeyId")


def _account(account: str = "111122223333") -> dict[str, Any]:
    return allow(Principal={"AWS": f"arn:aws:iam::{account}:root"}, Action="kms:*", Resource="*")


def _account_decides(key: Resource, account: str) -> Judgement:
    found = statements(key, "policy")
    if isinstance(found, Judgement):
        return found
    roots = {account, f"arn:aws:iam::{account}:root"}
    whole = any(
        s.allows and roots & set(s.principals) and s.acts_on("kms:PutKeyPolicy") and not s.conditions for s in found
    )
    return PASS if whole else failed("policy", "no statement by which the account decides", "kms:* for its root")


@family.rule(
    "aws-dynamodb-no-other-copies",
    Severity.HIGH,
    "Tables have no stream, and no replica outside the stack's regions",
    types=(DYNAMODB_TABLE,),
    rationale="A stream or a replica is a copy of all features, which lies where nobody declared it.",
    remedy="Leave streamEnabled and restoreSource… out, and name the stack's regions alone in replicas.",
    frameworks={Framework.NIST_800_53: ("AC-4", "AC-20")},
    examples=lambda: examples(
        given(DYNAMODB_TABLE, {"name": "features", "replicas": [{"regionName": "eu-central-1"}]}, "declared"),
        broken={
            "streamEnabled is true": put("streamEnabled", True),
            'replicas.0.regionName is "us-east-1"': put("replicas.0.regionName", "us-east-1"),
            'restoreSourceTableArn is "arn:x"': put("restoreSourceTableArn", "arn:x"),
            'restoreSourceName is "x"': put("restoreSourceName", "x"),
        },
        undecided={"replicas.0.regionName is known only to the provider": put("replicas.0.regionName", Hidden())},
        accepted={"": drop("replicas")},
    ),
)
def dynamodb_no_other_copies(table: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    regions = (settings.region, settings.backup_region)
    sources = ("restoreSourceTableArn", "restoreSourceName", "importTable")
    return all_of(
        (
            if_given(table, "streamEnabled", lambda: equals(table, "streamEnabled", False)),
            *(one_of(table, f"{item}.regionName", regions) for item in items(table, "replicas")),
            *(if_given(table, p, lambda p=p: failed(p, shown(read(table, p)), "absent")) for p in sources),
        )
    )


@family.rule(
    "aws-backup-role-able",
    Severity.HIGH,
    "A backup's selection names a role of the stack that AWS Backup may take on, and that may back up",
    types=(_SELECTION,),
    rationale="A selection under a role that may not back up makes no recovery point, and fails only at night.",
    remedy="Name a role in iamRoleArn that trusts backup.amazonaws.com and has AWS' policy for backups.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(_SELECTION, {"iamRoleArn": Output(ROLE, "backup")}, "able"),
        given(ROLE, {"name": "backup", "assumeRolePolicy": document(_taken("backup.amazonaws.com"))}, "backup"),
        given(_ATTACHMENT, {"role": "backup", "policyArn": f"arn:aws:iam::aws:policy/{_BACKS_UP}"}, "backup"),
        broken={
            "iamRoleArn is a role that AWS Backup cannot take on": put(
                "assumeRolePolicy", document(_taken("ec2.amazonaws.com")), ROLE, "backup"
            ),
            "iamRoleArn is a role that may not back up": (
                without(_ATTACHMENT, "backup"),
                put("role", "other", _ATTACHMENT, "backup"),
                put("policyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess", _ATTACHMENT, "backup"),
            ),
            'iamRoleArn is "arn:aws:iam::111122223333:role/x", none of this stack': put(
                "iamRoleArn", "arn:aws:iam::111122223333:role/x"
            ),
        },
        undecided={"iamRoleArn is known only to the provider": put("iamRoleArn", Hidden())},
        accepted={"": put("iamRoleArn", "arn:aws:iam::111122223333:role/backup")},
    ),
)
def backup_role_able(selection: Resource, inventory: Inventory) -> Judgement:
    path, required = "iamRoleArn", "a role of the stack that AWS Backup takes on to back up"
    value = read(selection, path)
    roles = [r for r in inventory.of_type(ROLE) if str(value).endswith(f":role/{read(r, 'name')}")]
    roles = list(inventory.linked(selection, path, ROLE)) if is_hidden(value) else roles
    if not roles:
        return (
            unknown(path, required)
            if is_hidden(value)
            else failed(path, f"{shown(value)}, none of this stack", required)
        )
    return all_of(_able(role, path, required, inventory) for role in roles)


def _able(role: Resource, path: str, required: str, inventory: Inventory) -> Judgement:
    found = statements(role, "assumeRolePolicy")
    if isinstance(found, Judgement):
        return found
    if not any(s.allows and "backup.amazonaws.com" in s.principals for s in found):
        return failed(path, "a role that AWS Backup cannot take on", required)
    may = any(
        refers_to(inventory, each, "role", role, read(role, "name"))
        and str(read(each, "policyArn")).endswith(_BACKS_UP)
        for each in inventory.of_type(_ATTACHMENT)
    )
    return PASS if may else failed(path, "a role that may not back up", required)


def _taken(service: str) -> dict[str, Any]:
    return allow(Principal={"Service": service}, Action="sts:AssumeRole")


@family.rule(
    "aws-trail-within-stack",
    Severity.HIGH,
    "Trails write to a bucket of the stack, and leave nothing global out",
    types=(CLOUDTRAIL,),
    rationale="Records in a bucket that the stack does not plan have no lock, and are read and removed elsewhere.",
    remedy="Name the stack's locked bucket in s3BucketName, and leave includeGlobalServiceEvents out.",
    frameworks={Framework.NIST_800_53: ("AU-9", "AU-12")},
    examples=lambda: examples(
        given(CLOUDTRAIL, {"s3BucketName": "audit"}, "kept"),
        given(S3_BUCKET, {"bucket": "audit", "objectLockEnabled": True}, "audit"),
        broken={
            's3BucketName is "elsewhere", none of this stack': put("s3BucketName", "elsewhere"),
            "s3BucketName is a bucket without object lock": (
                put("objectLockEnabled", False, S3_BUCKET, "audit"),
                drop("objectLockEnabled", S3_BUCKET, "audit"),
            ),
            "includeGlobalServiceEvents is false": put("includeGlobalServiceEvents", False),
        },
        undecided={"s3BucketName is known only to the provider": put("s3BucketName", Hidden())},
        accepted={"": put("includeGlobalServiceEvents", True)},
    ),
)
def trail_within_stack(trail: Resource, inventory: Inventory) -> Judgement:
    path, required = "s3BucketName", "a locked bucket of the stack"
    found = [b for b in inventory.of_type(S3_BUCKET) if refers_to(inventory, trail, path, b, *s3_names(b))]
    value = read(trail, path)
    if not found:
        stranger = (
            unknown(path, required)
            if is_hidden(value)
            else failed(path, f"{shown(value)}, none of this stack", required)
        )
    else:
        locked = read(found[0], "objectLockEnabled") is True
        stranger = PASS if locked else failed(path, "a bucket without object lock", required)
    name = "includeGlobalServiceEvents"
    return all_of((stranger, if_given(trail, name, lambda: equals(trail, name, True))))


@family.rule(
    "aws-ecr-registry-scans-all",
    Severity.MEDIUM,
    "A registry's own scanning covers each repository of the stack",
    types=(_SCANNING,),
    rationale="The registry's setting takes the place of what each repository says: where its filters leave one out, "
    "or scan by hand, nobody learns of a hole in an image.",
    remedy="Scan on push or continuously, with a filter that covers the repositories.",
    frameworks={Framework.AWS_FSBP: ("ECR.1",), Framework.NIST_800_53: ("RA-5",)},
    examples=lambda: examples(
        given(_SCANNING, {"rules": [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [_filter("seawall-*")]}]}),
        given(ECR_REPOSITORY, {"name": "seawall-prod/serving"}, "serving"),
        broken={
            "rules is a rule for all but seawall-prod/serving": (
                put("rules", []),
                put("rules.0.scanFrequency", "MANUAL"),
                put("rules.0.repositoryFilters.0.filter", "other/*"),
            ),
        },
        undecided={"rules is known only to the provider": put("rules", Hidden())},
        accepted={"": put("rules.0.scanFrequency", "CONTINUOUS_SCAN")},
    ),
)
def ecr_registry_scans_all(scanning: Resource, inventory: Inventory) -> Judgement:
    path, required = "rules", "a rule that scans it on push or continuously"
    rules = read(scanning, path)
    if is_hidden(rules):
        return unknown(path, required)
    filters = [
        str(each.get("filter", ""))
        for rule in (rules if isinstance(rules, list) else [])
        if rule.get("scanFrequency") in _AUTOMATIC
        for each in rule.get("repositoryFilters") or []
    ]
    names = {str(read(r, "name")) for r in inventory.of_type(ECR_REPOSITORY) if read(r, "name") is not ABSENT}
    missed = sorted(n for n in names if not is_hidden(n) and not any(matches(_pattern(f), n) for f in filters))
    return failed(path, f"a rule for all but {missed[0]}", required) if missed else passed()


def _pattern(text: str) -> str:
    """A filter without a wildcard covers what begins with it (ECR user guide, "Filters", believed, 2026-11-22)."""
    return text if "*" in text else f"{text}*"


def _filter(pattern: str) -> dict[str, str]:
    return {"filter": pattern, "filterType": "WILDCARD"}
