"""Grants on Google Cloud by which buckets are copied: the transfer service may read the one and write the other."""

from __future__ import annotations

from typing import Final

from policies.buckets import GCS
from policies.checks import all_of, is_hidden, passed, read, unknown
from policies.copy_rights import lacks
from policies.examples import examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import refers_to
from policies.model import Framework, Judgement, Severity
from policies.tokens import GCS_BUCKET, GCS_MEMBER, TRANSFER_JOB

family = Family("Grants of copies")

_TRANSFERS: Final = "@storage-transfer-service.iam.gserviceaccount.com"
_NO_COPY: Final = "it copies between no buckets of the stack"
_CP9: Final = {Framework.NIST_800_53: ("CP-9",)}


def _agent(inventory: Inventory) -> str:
    number = inventory.settings.get("project_number")
    return f":project-{number}{_TRANSFERS}" if number else _TRANSFERS


@family.rule(
    "gcp-transfers-may-copy",
    Severity.HIGH,
    "Storage Transfer Service may read what it copies, and write the copies",
    types=(TRANSFER_JOB,),
    rationale="A job whose agent lacks a right fails each hour, and the replica stays as it was.",
    remedy="Grant its agent objectViewer and legacyBucketReader on the source, legacyBucketWriter on the sink.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(
            TRANSFER_JOB,
            {
                "transferSpec.gcsDataSource.bucketName": "read-by-agent",
                "transferSpec.gcsDataSink.bucketName": "written-by-agent",
            },
            "granted",
        ),
        given(GCS_BUCKET, {"name": "read-by-agent"}, "read-by-agent"),
        given(GCS_BUCKET, {"name": "written-by-agent"}, "written-by-agent", away=True),
        *(
            given(
                GCS_MEMBER,
                {"bucket": bucket, "role": f"roles/storage.{role}", "member": f"serviceAccount:a{_TRANSFERS}"},
                f"{bucket}-{role}",
            )
            for bucket, role in (
                ("read-by-agent", "objectViewer"),
                ("read-by-agent", "legacyBucketReader"),
                ("written-by-agent", "legacyBucketWriter"),
                ("written-by-agent", "objectViewer"),
            )
        ),
        broken={
            "the transfer service may not see in read-by-agent": without(
                GCS_MEMBER, "read-by-agent-legacyBucketReader"
            ),
            "the transfer service may not read in read-by-agent": without(GCS_MEMBER, "read-by-agent-objectViewer"),
            "the transfer service may not see, write in written-by-agent": (
                without(GCS_MEMBER, "written-by-agent-legacyBucketWriter"),
                put(
                    "condition.expression",
                    "request.time < timestamp('2024-01-01T00:00:00Z')",
                    GCS_MEMBER,
                    "written-by-agent-legacyBucketWriter",
                ),
                put("member", "user:x@example.com", GCS_MEMBER, "written-by-agent-legacyBucketWriter"),
            ),
        },
        accepted={_NO_COPY: put("transferSpec.gcsDataSource.bucketName", "elsewhere")},
    ),
)
def gcp_transfers_may_copy(job: Resource, inventory: Inventory) -> Judgement:
    source, sink = (
        next(
            (
                b
                for b in inventory.of_type(GCS_BUCKET)
                if refers_to(inventory, job, f"transferSpec.{end}.bucketName", b, *GCS.names(b))
            ),
            None,
        )
        for end in ("gcsDataSource", "gcsDataSink")
    )
    ends = [read(job, f"transferSpec.{end}.bucketName") for end in ("gcsDataSource", "gcsDataSink")]
    names = [read(bucket, "name") for bucket in inventory.of_type(GCS_BUCKET)]
    if (source is None or sink is None) and any(map(is_hidden, (*ends, *names))):
        return unknown("transferSpec", "buckets that the plan knows")
    if source is None or sink is None:
        return passed(_NO_COPY)
    who, name = _agent(inventory), "the transfer service"
    return all_of(
        (
            lacks(inventory, source, who, ("see", "list", "read"), name),
            lacks(inventory, sink, who, ("see", "list", "read", "write"), name),
        )
    )
