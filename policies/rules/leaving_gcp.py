"""Data that leaves by configuration on Google Cloud: no sink, feed or copy leads elsewhere."""

from __future__ import annotations

from typing import Final

from policies.checks import ABSENT, PASS, all_of, expect, failed, if_given, one_of, read, shown
from policies.examples import Hidden, examples, given, put
from policies.exports import target_of
from policies.family import Family
from policies.grants import own_account
from policies.inventory import Inventory, Resource
from policies.leaving import GCS_BUCKETS, GOOGLE_ADDRESSES, PROJECTS, in_project, in_stack, places
from policies.model import Framework, Judgement, Severity
from policies.tokens import GCP_LOG_SINK, SCHEDULER_JOB

family = Family("Data leaving Google Cloud")

_LOGS: Final = "logging.googleapis.com/projects/111122223333/locations/global/buckets/logs"
_AWAY: Final = "logging.googleapis.com/projects/elsewhere/locations/global/buckets/logs"


@family.rule(
    "gcp-data-stays-in-project",
    Severity.HIGH,
    "Sinks, subscriptions and copies go to places of the own project",
    types=tuple(dict.fromkeys((*PROJECTS, *GCS_BUCKETS, *GOOGLE_ADDRESSES))),
    rationale="A sink, a push endpoint or a copy in another project takes the data away without a right that any "
    "review of rights would show.",
    remedy="Name a place of this project, and a bucket of this stack.",
    frameworks={Framework.NIST_800_53: ("AC-4", "AC-20")},
    examples=lambda: examples(
        given(GCP_LOG_SINK, {"destination": _LOGS}, "kept"),
        broken={
            f'destination is "{place}"': put("destination", place)
            for place in (
                _AWAY,
                "storage.googleapis.com/elsewhere",
                "bigquery.googleapis.com/projects/elsewhere/datasets/logs",
                "pubsub.googleapis.com/projects/elsewhere/topics/logs",
            )
        },
        undecided={"destination is known only to the provider": put("destination", Hidden())},
    ),
)
def data_stays_in_project(resource: Resource, inventory: Inventory) -> Judgement:
    own = own_account(inventory)
    projects = PROJECTS.get(resource.type, ()) if own else ()
    return all_of(
        [
            *(in_project(resource, path, own, inventory) for named in projects for path in places(resource, named)),
            *(in_stack(resource, path, inventory) for path in GCS_BUCKETS.get(resource.type, ())),
            *(
                failed(path, shown(read(resource, path)), "a place in the own project")
                for path in GOOGLE_ADDRESSES.get(resource.type, ())
                if read(resource, path) is not ABSENT
            ),
            _exported(resource, inventory) if resource.type == SCHEDULER_JOB else PASS,
        ]
    )


def _exported(job: Resource, inventory: Inventory) -> Judgement:
    """Whether an export that a job asks for is written to a bucket of the stack."""
    bucket, _ = target_of(read(job, "httpTarget.body"))
    if not bucket:
        return PASS
    asked = Resource(urn=job.urn, type=job.type, name=job.name, custom=True, inputs={"bucket": bucket})
    found = in_stack(asked, "bucket", inventory)
    return (
        PASS
        if found == PASS
        else failed("httpTarget.body", f"a request to write to {bucket}", "a bucket of the stack")
    )


_ENTITIES: Final = (
    "gcp:storage/bucketAccessControl:BucketAccessControl",
    "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl",
    "gcp:storage/objectAccessControl:ObjectAccessControl",
)
_LISTS: Final = (
    "gcp:storage/bucketACL:BucketACL",
    "gcp:storage/defaultObjectACL:DefaultObjectACL",
    "gcp:storage/objectACL:ObjectACL",
)
_OBJECT: Final = "gcp:storage/bucketObject:BucketObject"
_OWN_ENTITY: Final = "the project's own owners, editors or viewers"
_PREDEFINED: Final = ("private", "projectPrivate", "bucketOwnerFullControl", "bucketOwnerRead")


@family.rule(
    "gcp-gcs-no-acl-grant",
    Severity.CRITICAL,
    "No ACL of Cloud Storage lets anybody in beside IAM",
    types=(*_ENTITIES, *_LISTS, _OBJECT),
    rationale="An ACL lets somebody in beside every grant that IAM shows, as soon as uniform access is off.",
    remedy="Remove the ACL, and grant a role on the bucket.",
    frameworks={Framework.NIST_800_53: ("AC-3",)},
    examples=lambda: examples(
        given(_ENTITIES[0], {"bucket": "models", "entity": "project-owners-111122223333", "role": "OWNER"}),
        broken={
            f'entity is "{entity}"': put("entity", entity)
            for entity in ("allUsers", "allAuthenticatedUsers", "user-x@example.com", "domain-example.com")
        },
        undecided={"entity is known only to the provider": put("entity", Hidden())},
        accepted={"": put("role", "READER")},
    ),
)
def gcs_no_acl_grant(resource: Resource, _: Inventory) -> Judgement:
    if resource.type in _ENTITIES:
        return expect(resource, "entity", _OWN_ENTITY, _is_own)
    named = [p for p in ("predefinedAcl", "defaultAcl") if read(resource, p) is not ABSENT]
    return all_of(
        [
            *(one_of(resource, path, _PREDEFINED) for path in named),
            if_given(
                resource,
                "roleEntities",
                lambda: expect(
                    resource, "roleEntities", _OWN_ENTITY, lambda v: all(_is_own(e.partition(":")[2]) for e in v)
                ),
            ),
        ]
    )


def _is_own(entity: str) -> bool:
    return entity.startswith(("project-owners-", "project-editors-", "project-viewers-"))
