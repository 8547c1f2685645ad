"""Grants on Google Cloud by which stores are exported: who asks for an export may, and the store may write it."""

from __future__ import annotations

import base64
import json
from typing import Final

from components.contracts import gcp_roles
from policies.buckets import GCS
from policies.checks import ABSENT, PASS, all_of, equals, failed, if_given, is_hidden, passed, read, shown, unknown
from policies.copy_rights import granting, lacks
from policies.examples import Output, Text, both, drop, examples, given, put, without
from policies.exports import exports_of, runs, target_of
from policies.family import Family
from policies.google_iam import WIDE_GRANTS
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import GCP_ACCOUNT, GCP_PROJECT_MEMBER, GCS_BUCKET, GCS_MEMBER, REDIS, SCHEDULER_JOB

family = Family("Grants of exports")

_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_EXPORTS: Final = ("roles/redis.admin", "roles/redis.editor", "roles/editor", "roles/owner")
_KNOWN: Final = Output(REDIS, "writes", "serviceAccount:123456-compute@developer.gserviceaccount.com")
_NO_STORE: Final = "it exports no store of the stack"
_CP9: Final = {Framework.NIST_800_53: ("CP-9",)}


@family.rule(
    "gcp-exports-may-run",
    Severity.HIGH,
    "Exports are asked for by an account that may, with a token that Google takes",
    types=(SCHEDULER_JOB,),
    rationale="A job whose account may not export is refused each time, and the newest export grows old.",
    remedy="Name the exporter in oauthToken, and grant it the right to export on the project without a condition.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(
            SCHEDULER_JOB,
            {
                "httpTarget.uri": "https://redis.googleapis.com/v1/projects/p/locations/r/instances/asked:export",
                "httpTarget.oauthToken": {"serviceAccountEmail": "exporter@p.iam.gserviceaccount.com"},
            },
            "asked",
        ),
        given(
            GCP_PROJECT_MEMBER,
            {"role": "roles/redis.editor", "member": "serviceAccount:exporter@p.iam.gserviceaccount.com"},
            "asked",
        ),
        given(GCP_ACCOUNT, {"accountId": "exporter", "disabled": False}, "asked"),
        broken={
            "httpTarget.oauthToken.serviceAccountEmail is absent": drop("httpTarget.oauthToken"),
            'httpTarget.oauthToken.scope is "https://www.googleapis.com/auth/devstorage.read_only"': put(
                "httpTarget.oauthToken.scope", "https://www.googleapis.com/auth/devstorage.read_only"
            ),
            "exporter@p.iam.gserviceaccount.com may not export": (
                without(GCP_PROJECT_MEMBER, "asked"),
                put("role", "roles/redis.viewer", GCP_PROJECT_MEMBER, "asked"),
                put(
                    "condition.expression",
                    "request.time < timestamp('2024-01-01T00:00:00Z')",
                    GCP_PROJECT_MEMBER,
                    "asked",
                ),
            ),
            "asked.disabled is true": put("disabled", True, GCP_ACCOUNT, "asked"),
        },
        accepted={_NO_STORE: put("httpTarget.uri", "https://example.googleapis.com/v1/x")},
    ),
)
def gcp_exports_may_run(job: Resource, inventory: Inventory) -> Judgement:
    uri = read(job, "httpTarget.uri")
    if is_hidden(uri):
        return unknown("httpTarget.uri", "a call that the plan knows")
    if not str(uri).endswith((":export", ":exportDocuments")):
        return passed(_NO_STORE)
    path = "httpTarget.oauthToken.serviceAccountEmail"
    email = read(job, path)
    if is_hidden(email):
        return unknown(path, "an account that the plan knows")
    if email is ABSENT:
        return failed(path, "absent", "the account that exports: Google's own calls take no other token")
    scope = "httpTarget.oauthToken.scope"
    permission = "redis.instances.export" if str(uri).endswith(":export") else "datastore.databases.export"
    return all_of(
        (
            if_given(job, scope, lambda: equals(job, scope, _SCOPE)),
            _may_export(inventory, str(email), permission),
            _is_on(inventory, str(email)),
        )
    )


def _may_export(inventory: Inventory, email: str, permission: str) -> Judgement:
    custom = inventory.derived(_own_roles)
    for _, grant in granting(inventory, WIDE_GRANTS):
        if f"serviceAccount:{email}" in grant.members:
            name = grant.role.rpartition("/")[2]
            firestore = grant.role in ("roles/datastore.importExportAdmin", "roles/datastore.owner")
            if (
                grant.role in _EXPORTS
                or (firestore and "datastore" in permission)
                or permission in custom.get(name, ())
            ):
                return PASS
    return failed("", f"{email} may not export", f"{permission} on the project, without a condition")


def _own_roles(inventory: Inventory) -> dict[str, tuple[str, ...]]:

    environment, store = inventory.settings.get("environment"), inventory.settings.get("feature_store")
    kind = store.get("kind") if isinstance(store, dict) else None
    if not isinstance(environment, str) or not isinstance(kind, str):
        return {}
    return {name: tuple(held) for name, held in gcp_roles.own_roles(environment, kind).items()}


def _is_on(inventory: Inventory, email: str) -> Judgement:
    project = SettingsView.of(inventory.settings).account
    if not email.endswith(f"@{project}.iam.gserviceaccount.com"):
        return all_of(_off(account) for account in inventory.of_type(GCP_ACCOUNT) if _called(account, email))
    found = [account for account in inventory.of_type(GCP_ACCOUNT) if _called(account, email)]
    if not found:
        return failed("httpTarget.oauthToken.serviceAccountEmail", shown(email), "an account that the stack makes")
    return all_of(map(_off, found))


def _called(account: Resource, email: str) -> bool:
    return read(account, "accountId") == email.partition("@")[0]


def _off(account: Resource) -> Judgement:
    if read(account, "disabled") in (ABSENT, False):
        return PASS
    return failed(f"{account.name}.disabled", shown(read(account, "disabled")), "an account that is on")


def _nameless(inventory: Inventory) -> bool:
    return any(is_hidden(read(bucket, "name")) for bucket in inventory.of_type(GCS_BUCKET))


@family.rule(
    "gcp-redis-may-write-exports",
    Severity.HIGH,
    "A store's own account may write where its exports go",
    types=(REDIS,),
    rationale="Memorystore writes an export by an account of its own: without rights on the bucket none arrives.",
    remedy="Grant the instance's persistenceIamIdentity objectUser and legacyBucketReader on the exports' bucket.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(REDIS, {"name": "writes"}, "writes"),
        given(
            SCHEDULER_JOB,
            {
                "httpTarget.uri": "https://redis.googleapis.com/v1/projects/p/locations/r/instances/writes:export",
                "httpTarget.body": Text(
                    {"outputConfig": {"gcsDestination": {"uri": "gs://written/x.rdb"}}},
                    lambda request: base64.b64encode(json.dumps(request).encode()).decode(),
                ),
            },
            "writes",
        ),
        given(GCS_BUCKET, {"name": "written"}, "written", away=True),
        given(
            GCS_MEMBER,
            {"bucket": "written", "role": "roles/storage.objectUser", "member": Output(REDIS, "writes")},
            "writes",
        ),
        given(
            GCS_MEMBER,
            {"bucket": "written", "role": "roles/storage.legacyBucketReader", "member": Output(REDIS, "writes")},
            "sees",
        ),
        broken={
            "the store may not write in written": (
                without(GCS_MEMBER, "writes"),
                put("role", "roles/storage.objectViewer", GCS_MEMBER, "writes"),
            ),
            "the store may not see in written": (
                without(GCS_MEMBER, "sees"),
                # The account of somebody else's instance, by its name alone.
                both(put("member", _KNOWN.value, GCS_MEMBER, "sees")),
            ),
        },
        accepted={
            _NO_STORE: without(SCHEDULER_JOB, "writes"),
            "": both(
                put("member", _KNOWN, GCS_MEMBER, "writes"),
                put("member", _KNOWN, GCS_MEMBER, "sees"),
            ),
        },
    ),
)
def gcp_redis_may_write_exports(store: Resource, inventory: Inventory) -> Judgement:
    jobs = [job for job in inventory.of_type(SCHEDULER_JOB) if is_hidden(read(job, "httpTarget.uri"))]
    jobs += [job for job in inventory.of_type(SCHEDULER_JOB) if is_hidden(read(job, "httpTarget.body"))]
    if is_hidden(read(store, "name")) or jobs or _nameless(inventory):
        return unknown("name", "names that the plan knows")
    written = {target_of(read(e.job, "httpTarget.body"))[0] for e in exports_of(inventory, store) if runs(e.job)}
    buckets = [b for b in inventory.of_type(GCS_BUCKET) if written.intersection(GCS.names(b))]
    if not buckets:
        return passed(_NO_STORE)
    return all_of(lacks(inventory, bucket, store, ("see", "write"), "the store") for bucket in buckets)
