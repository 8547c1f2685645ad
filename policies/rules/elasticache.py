"""ElastiCache for Valkey: reached privately, over TLS, by whoever IAM lets in, and there after a fault."""

from __future__ import annotations

from components.contracts.vocabulary import OptOut
from policies.checks import all_of, best_of, each_named, equals, expect, failed, not_applicable, one_of, passed, read
from policies.examples import Hidden, Output, both, drop, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions, customer_key, far_enough
from policies.model import Framework, Judgement, Severity, Verdict
from policies.settings_view import SettingsView
from policies.tokens import KMS_KEY, SECURITY_GROUP, VALKEY, VALKEY_GLOBAL

family = Family("ElastiCache")

_USER = "aws:elasticache/user:User"
_FAR = "far"
_ENCRYPTION = {
    "transitEncryptionEnabled": True,
    "transitEncryptionMode": "required",
    "atRestEncryptionEnabled": True,
}
_NIGHTLY = "the stack is made and destroyed each night"


def _secondary(group: Resource, inventory: Inventory) -> str:
    """Why a rule about the primary of a global datastore does not apply; empty where it does."""
    if inventory.linked(group, "globalReplicationGroupId", VALKEY_GLOBAL):
        return "a secondary takes it from the primary of its global datastore"
    return ""


@family.rule(
    "aws-elasticache-encrypted",
    Severity.HIGH,
    "ElastiCache takes TLS connections only, and encrypts what it stores",
    types=(VALKEY,),
    rationale="Features are personal data; on the wire and on disk they must not be readable.",
    remedy='Set transitEncryptionEnabled, transitEncryptionMode "required" and atRestEncryptionEnabled.',
    frameworks={Framework.NIST_800_53: ("SC-8", "SC-28")},
    examples=lambda: examples(
        given(VALKEY, dict(_ENCRYPTION)),
        broken={
            "transitEncryptionEnabled is false": put("transitEncryptionEnabled", False),
            'transitEncryptionMode is "preferred"': put("transitEncryptionMode", "preferred"),
            "atRestEncryptionEnabled is absent": drop("atRestEncryptionEnabled"),
        },
        accepted={
            "a secondary takes it from the primary of its global datastore": both(
                drop("transitEncryptionEnabled"),
                drop("transitEncryptionMode"),
                drop("atRestEncryptionEnabled"),
                put("globalReplicationGroupId", Output(VALKEY_GLOBAL)),
            )
        },
    ),
)
def elasticache_encrypted(group: Resource, inventory: Inventory) -> Judgement:
    reason = _secondary(group, inventory)
    return not_applicable(reason) if reason else all_of(equals(group, p, right) for p, right in _ENCRYPTION.items())


@family.rule(
    "aws-elasticache-users",
    Severity.HIGH,
    "ElastiCache asks who connects",
    types=(VALKEY,),
    rationale="Without users any pod or machine in the network reads and writes all features.",
    remedy="Set userGroupIds to a group of users that IAM authenticates.",
    frameworks={Framework.NIST_800_53: ("AC-3", "IA-2")},
    examples=lambda: examples(
        given(VALKEY, {"userGroupIds": ["features"]}),
        broken={"userGroupIds is absent": drop("userGroupIds"), "userGroupIds is []": put("userGroupIds", [])},
    ),
)
def elasticache_users(group: Resource, _: Inventory) -> Judgement:
    return each_named(group, "userGroupIds", "a group of users")


@family.rule(
    "aws-elasticache-iam",
    Severity.HIGH,
    "ElastiCache's users are authenticated by IAM",
    types=(_USER,),
    rationale="A token of IAM lives for minutes; a password lives until someone changes it, wherever it went.",
    remedy='Set authenticationMode.type to "iam".',
    frameworks={Framework.NIST_800_53: ("IA-2", "IA-5")},
    examples=lambda: examples(
        given(_USER, {"authenticationMode.type": "iam"}),
        broken={
            'authenticationMode.type is "no-password-required"': put(
                "authenticationMode.type", "no-password-required"
            ),
            'authenticationMode.type is "password"': put("authenticationMode.type", "password"),
            "authenticationMode.type is absent": drop("authenticationMode"),
        },
    ),
)
def elasticache_iam(user: Resource, _: Inventory) -> Judgement:
    return one_of(user, "authenticationMode.type", ("iam",))


@family.rule(
    "aws-elasticache-private",
    Severity.HIGH,
    "ElastiCache stands in subnets of the stack's own",
    types=(VALKEY,),
    rationale="Without a subnet group of its own a group stands in the account's default network.",
    remedy="Set subnetGroupName to a subnet group of the stack, and securityGroupIds.",
    frameworks={Framework.NIST_800_53: ("SC-7",)},
    examples=lambda: examples(
        given(VALKEY, {"subnetGroupName": "features", "securityGroupIds": ["sg-1"]}),
        broken={
            "subnetGroupName is absent": drop("subnetGroupName"),
            'subnetGroupName is "default"': put("subnetGroupName", "default"),
            "securityGroupIds is absent": drop("securityGroupIds"),
        },
    ),
)
def elasticache_private(group: Resource, inventory: Inventory) -> Judgement:
    return all_of(
        (
            expect(group, "subnetGroupName", "a subnet group of the stack", lambda name: name not in ("", "default")),
            _fenced(group, inventory),
        )
    )


def _fenced(group: Resource, inventory: Inventory) -> Judgement:
    """Whether security groups are named; one that only the provider knows, by a group of the stack."""
    path, required = "securityGroupIds", "a security group of the stack"
    named = each_named(group, path, required)
    own = inventory.linked(group, path, SECURITY_GROUP)
    return passed(f"{path} comes from {own[0].name}") if named.verdict is Verdict.UNKNOWN and own else named


@family.rule(
    "aws-elasticache-replicated-far",
    Severity.HIGH,
    "ElastiCache has a copy in a region far enough away",
    types=(VALKEY_GLOBAL,),
    rationale="A snapshot lies in its group's region, so what is in one region alone is lost with it.",
    remedy="Add a replication group with this globalReplicationGroupId, backup.min_distance_km away.",
    frameworks={Framework.NIST_800_53: ("CP-6", "CP-9")},
    examples=lambda: examples(
        given(VALKEY_GLOBAL, {"globalReplicationGroupIdSuffix": "features"}),
        given(VALKEY, {"globalReplicationGroupId": Output(VALKEY_GLOBAL)}, _FAR, away=True),
        broken={"its replication groups is absent": without(VALKEY, _FAR)},
    ),
)
def elasticache_replicated_far(datastore: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    path, required = "its replication groups", "a secondary in the backup region"
    secondaries = companions(inventory, datastore, "globalReplicationGroupId", (), VALKEY, anywhere=True)
    if not secondaries:
        return failed(path, "absent", required)
    return best_of(far_enough(settings, path, settings.region, group.region or "") for group in secondaries)


@family.rule(
    "aws-elasticache-in-global-datastore",
    Severity.HIGH,
    "ElastiCache groups are in a global datastore",
    types=(VALKEY,),
    rationale="A snapshot lies in its group's region, so what is in one region alone is lost with it.",
    remedy="Add a GlobalReplicationGroup with the group as its primaryReplicationGroupId.",
    frameworks={Framework.NIST_800_53: ("CP-6", "CP-9")},
    examples=lambda: examples(
        given(VALKEY, {"replicationGroupId": "features"}),
        given(VALKEY_GLOBAL, {"primaryReplicationGroupId": "features"}),
        broken={"its global datastore is absent": without(VALKEY_GLOBAL)},
        accepted={
            "a secondary takes it from the primary of its global datastore": put(
                "globalReplicationGroupId", Output(VALKEY_GLOBAL)
            )
        },
    ),
)
def elasticache_in_global_datastore(group: Resource, inventory: Inventory) -> Judgement:
    reason = _secondary(group, inventory)
    if reason:
        return not_applicable(reason)
    known = [name for name in [read(group, "replicationGroupId")] if isinstance(name, str)]
    if companions(inventory, group, "primaryReplicationGroupId", known, VALKEY_GLOBAL):
        return passed()
    return failed("its global datastore", "absent", "a GlobalReplicationGroup")


family.require(
    "aws-elasticache-failover",
    Severity.MEDIUM,
    "ElastiCache fails over",
    type=VALKEY,
    inputs={"automaticFailoverEnabled": (True, False), "multiAzEnabled": (True, False)},
    rationale="A single zone's failure takes the features of every prediction away.",
    remedy="Set automaticFailoverEnabled and multiAzEnabled.",
)


@family.rule(
    "aws-elasticache-customer-key",
    Severity.HIGH,
    "ElastiCache groups are encrypted with a customer-managed key",
    types=(VALKEY,),
    rationale="Only a key of one's own can be audited and withdrawn; snapshots are under the same one.",
    remedy="Set kmsKeyId to the stack's key in the group's region; it cannot be set later.",
    examples=lambda: examples(
        given(VALKEY, {"kmsKeyId": Output(KMS_KEY)}),
        broken={
            "kmsKeyId is absent": drop("kmsKeyId"),
            'kmsKeyId is "alias/aws/elasticache"': put("kmsKeyId", "alias/aws/elasticache"),
        },
        undecided={"kmsKeyId is known only to the provider": put("kmsKeyId", Hidden())},
    ),
)
def elasticache_customer_key(group: Resource, inventory: Inventory) -> Judgement:
    return customer_key(inventory, group, "kmsKeyId")


@family.rule(
    "aws-elasticache-final-snapshot",
    Severity.MEDIUM,
    "ElastiCache groups leave a snapshot when they go",
    types=(VALKEY,),
    rationale="ElastiCache has no deletion protection, and automatic snapshots go with their group.",
    remedy="Set finalSnapshotIdentifier, or opt out in the settings with a reason.",
    examples=lambda: examples(
        given(VALKEY, {"finalSnapshotIdentifier": "features-final"}),
        broken={
            "finalSnapshotIdentifier is absent": drop("finalSnapshotIdentifier"),
            'finalSnapshotIdentifier is ""': put("finalSnapshotIdentifier", ""),
        },
        accepted={
            f"the stack's settings opt out of deletion protection: {_NIGHTLY}": setting(
                "opt_outs", {str(OptOut.DELETION_PROTECTION): _NIGHTLY}
            )
        },
    ),
)
def elasticache_final_snapshot(group: Resource, inventory: Inventory) -> Judgement:
    reason = SettingsView.of(inventory.settings).opt_outs.get(OptOut.DELETION_PROTECTION)
    if reason:
        return not_applicable(f"the stack's settings opt out of deletion protection: {reason}")
    return expect(group, "finalSnapshotIdentifier", "a name", bool)
