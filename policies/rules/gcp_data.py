"""Rules for Memorystore and Cloud KMS: private, encrypted, persistent, and exported far away."""

from __future__ import annotations

import base64
import json
import re

from policies.checks import (
    ABSENT,
    any_of,
    equals,
    expect,
    failed,
    is_hidden,
    not_applicable,
    one_of,
    passed,
    read,
    shown,
    unknown,
)
from policies.inventory import Inventory, Resource
from policies.links import GCP_KEY, customer_key, far_enough, region_in
from policies.model import Framework, Judgement, Rule, Severity
from policies.rules.gcp_storage import BUCKET, granted_to_names
from policies.settings_view import SettingsView

REDIS = "gcp:redis/instance:Instance"
_JOB = "gcp:cloudscheduler/job:Job"
_KEY_IAM = ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding")
_MOST_ROTATION_SECONDS = 90 * 24 * 3600
_LEAST_DESTRUCTION_SECONDS = 14 * 24 * 3600
_SECONDS = re.compile(r"^(\d+)(\.\d+)?s$")


def _tls(instance: Resource, _: Inventory) -> Judgement:
    return equals(instance, "transitEncryptionMode", "SERVER_AUTHENTICATION")


def _auth(instance: Resource, _: Inventory) -> Judgement:
    return equals(instance, "authEnabled", True)


def _key(instance: Resource, inventory: Inventory) -> Judgement:
    return customer_key(inventory, instance, "customerManagedKey")


def _persistent(instance: Resource, _: Inventory) -> Judgement:
    return one_of(instance, "persistenceConfig.persistenceMode", ("RDB", "AOF"))


def _private(instance: Resource, inventory: Inventory) -> Judgement:
    network = read(instance, "authorizedNetwork")
    if network is ABSENT:
        return failed("authorizedNetwork", "absent, so the project's default network", "the stack's own network")
    own = inventory.linked(instance, "authorizedNetwork", "gcp:compute/network:Network")
    if is_hidden(network) and not own:
        return unknown("authorizedNetwork", "the stack's own network")
    if isinstance(network, str) and network.rsplit("/", 1)[-1] == "default":
        return failed("authorizedNetwork", shown(network), "the stack's own network")
    return passed()


def _highly_available(instance: Resource, inventory: Inventory) -> Judgement:
    if not SettingsView.of(inventory.settings).production:
        return not_applicable("failover is required in production")
    return equals(instance, "tier", "STANDARD_HA")


def _exported_far(instance: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    name = read(instance, "name")
    jobs = [job for job in inventory.of_type(_JOB) if _exports(inventory, job, instance, str(name))]
    if not jobs:
        return failed("", "no scheduler job exports the instance", "an export to a bucket in the backup region")
    judged = [_export_far(inventory, settings, job, region_in(instance) or settings.region) for job in jobs]
    return any_of(judged, otherwise=judged[0])


def _exports(inventory: Inventory, job: Resource, instance: Resource, name: str) -> bool:
    if read(job, "paused") not in (ABSENT, False):
        return False
    uri = read(job, "httpTarget.uri")
    if is_hidden(uri):
        return instance in inventory.linked(job, "httpTarget", REDIS)
    return isinstance(uri, str) and uri.endswith(f"/instances/{name}:export")


def _export_far(inventory: Inventory, settings: SettingsView, job: Resource, home: str) -> Judgement:
    path = f"{job.name}.httpTarget.body"
    body = read(job, "httpTarget.body")
    if is_hidden(body):
        buckets = inventory.linked(job, "httpTarget", BUCKET)
        away = buckets[0] if len(buckets) == 1 else None
    else:
        named = _destination_bucket(body)
        away = next((b for b in inventory.of_type(BUCKET) if named and read(b, "name") == named), None)
    if away is None:
        return unknown(path, "an export to a bucket of this stack", "no bucket of this stack that the plan can tell")
    return far_enough(settings, path, home, region_in(away))


def _destination_bucket(body: object) -> str | None:
    """The bucket that a Memorystore export request (JSON, in base64 as Cloud Scheduler takes it) writes to."""
    if not isinstance(body, str):
        return None
    try:
        request = json.loads(base64.b64decode(body, validate=True))
        uri = request["outputConfig"]["gcsDestination"]["uri"]
    except (ValueError, KeyError, TypeError):
        return None
    return uri.removeprefix("gs://").split("/", 1)[0] if isinstance(uri, str) and uri.startswith("gs://") else None


def _seconds(value: str) -> int:
    match = _SECONDS.match(value)
    if match is None:
        raise ValueError(value)
    return int(match[1])


def _rotated(key: Resource, _: Inventory) -> Judgement:
    purpose = read(key, "purpose")
    if isinstance(purpose, str) and purpose not in ("ENCRYPT_DECRYPT",) and not is_hidden(purpose):
        return not_applicable(f"a key for {purpose} does not rotate by itself")
    required = f"at most {_MOST_ROTATION_SECONDS}s (90 days)"
    return expect(key, "rotationPeriod", required, lambda v: _seconds(v) <= _MOST_ROTATION_SECONDS)


def _slow_destruction(key: Resource, _: Inventory) -> Judgement:
    path = "destroyScheduledDuration"
    if read(key, path) is ABSENT:
        return passed("left to its default of 30 days")
    required = f"at least {_LEAST_DESTRUCTION_SECONDS}s (14 days)"
    return expect(key, path, required, lambda v: _seconds(v) >= _LEAST_DESTRUCTION_SECONDS)


def _no_basic_role(grant: Resource, _: Inventory) -> Judgement:
    basic = ("roles/owner", "roles/editor")
    return expect(grant, "role", "a role for the task at hand", lambda v: v not in basic and not v.endswith(".admin"))


GCP_DATA: tuple[Rule, ...] = (
    Rule(
        id="gcp-redis-tls",
        severity=Severity.HIGH,
        title="Memorystore takes TLS connections only",
        rationale="Features are personal data; on the wire they must not be readable.",
        remedy='Set transitEncryptionMode to "SERVER_AUTHENTICATION".',
        types=(REDIS,),
        check=_tls,
        frameworks={Framework.CHECKOV: ("CKV_GCP_97",)},
    ),
    Rule(
        id="gcp-redis-auth",
        severity=Severity.HIGH,
        title="Memorystore asks for a password",
        rationale="Without AUTH any pod or machine in the network reads and writes all features.",
        remedy="Set authEnabled.",
        types=(REDIS,),
        check=_auth,
        frameworks={Framework.CHECKOV: ("CKV_GCP_95",)},
    ),
    Rule(
        id="gcp-redis-customer-key",
        severity=Severity.HIGH,
        title="Memorystore is encrypted with a customer-managed key",
        rationale="Only a key of one's own can be audited and withdrawn.",
        remedy="Set customerManagedKey to the stack's key.",
        types=(REDIS,),
        check=_key,
    ),
    Rule(
        id="gcp-redis-persistent",
        severity=Severity.HIGH,
        title="Memorystore survives a restart",
        rationale="Without persistence a failed node empties the cache, and predictions fall back.",
        remedy="Set persistenceConfig.persistenceMode to RDB.",
        types=(REDIS,),
        check=_persistent,
    ),
    Rule(
        id="gcp-redis-private",
        severity=Severity.HIGH,
        title="Memorystore stands in the stack's own network",
        rationale="The project's default network is shared with whatever else the project runs.",
        remedy="Set authorizedNetwork to the stack's network.",
        types=(REDIS,),
        check=_private,
        frameworks={Framework.NIST_800_53: ("SC-7",)},
    ),
    Rule(
        id="gcp-redis-failover",
        severity=Severity.MEDIUM,
        title="Production Memorystore fails over",
        rationale="A single node's upkeep or failure takes the features of every prediction away.",
        remedy='Set tier to "STANDARD_HA".',
        types=(REDIS,),
        check=_highly_available,
    ),
    Rule(
        id="gcp-redis-exported-far",
        severity=Severity.HIGH,
        title="Memorystore is exported to a region far enough away",
        rationale="Memorystore has no backups in another region of its own; an export nearby is lost with it.",
        remedy="Schedule the instance's export to a bucket at least backup.min_distance_km away.",
        types=(REDIS,),
        check=_exported_far,
        frameworks={Framework.NIST_800_53: ("CP-6", "CP-9")},
    ),
    Rule(
        id="gcp-kms-rotated",
        severity=Severity.MEDIUM,
        title="Cloud KMS keys rotate within 90 days",
        rationale="Rotation bounds how much data one key version ever protects.",
        remedy='Set rotationPeriod to "7776000s" or less.',
        types=(GCP_KEY,),
        check=_rotated,
        frameworks={Framework.CHECKOV: ("CKV_GCP_43",)},
    ),
    Rule(
        id="gcp-kms-slow-destruction",
        severity=Severity.HIGH,
        title="Cloud KMS key versions are destroyed slowly",
        rationale="A destroyed version takes all that it encrypted; the delay is the time there is to notice.",
        remedy="Leave destroyScheduledDuration out (30 days), or set 14 days or more.",
        types=(GCP_KEY,),
        check=_slow_destruction,
    ),
    Rule(
        id="gcp-kms-no-public-grant",
        severity=Severity.CRITICAL,
        title="No Cloud KMS grant names everyone",
        rationale="A key that everyone may use makes the encryption decorative.",
        remedy="Grant to service accounts.",
        types=_KEY_IAM,
        check=granted_to_names,
        frameworks={Framework.CHECKOV: ("CKV_GCP_112",)},
    ),
    Rule(
        id="gcp-iam-no-broad-role",
        severity=Severity.HIGH,
        title="No owner, editor or admin role on the project",
        rationale="A broad role reaches every resource of the project, not only this platform's.",
        remedy="Grant a role for the task at hand, on the resource rather than the project.",
        types=("gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding"),
        check=_no_basic_role,
        frameworks={Framework.CHECKOV: ("CKV_GCP_117",)},
    ),
)
