"""Data that leaves by configuration on AWS: no copy, feed or notice goes to a place that is not the stack's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import ABSENT, PASS, all_of, equals, failed, if_given, is_hidden, one_of, read, shown, unknown
from policies.examples import Hidden, both, drop, examples, given, put
from policies.family import Family
from policies.grants import own_account
from policies.inventory import SECRET, Inventory, Resource
from policies.leaving import ACCOUNTS, ADDRESSES, ECR_REPLICATION, S3_BUCKETS, in_account, in_stack, places
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import LOG_SUBSCRIPTION, S3_ACCESS_POINT, S3_BUCKET, S3_MULTI_REGION, SNS_SUBSCRIPTION

family = Family("Data leaving AWS")

_TO: Final = "replicationConfiguration.rules.0.destinations.0"
_FEED: Final = "arn:aws:kinesis:eu-west-1:111122223333:stream/feed"
_ABROAD: Final = "arn:aws:kinesis:eu-west-1:999988887777:stream/feed"
_AC20: Final = {Framework.NIST_800_53: ("AC-4", "AC-20")}


@family.rule(
    "aws-data-stays-in-account",
    Severity.HIGH,
    "Copies, feeds and events go to places of the own account",
    types=tuple(dict.fromkeys((*ACCOUNTS, *S3_BUCKETS, *ADDRESSES))),
    rationale="A copy, a feed or an event target in another account, or at an address outside, takes the data away "
    "without a right that any review of rights would show.",
    remedy="Name a place of this account, and a bucket of this stack.",
    frameworks=_AC20,
    examples=lambda: examples(
        given(LOG_SUBSCRIPTION, {"destinationArn": _FEED}),
        broken={
            f'destinationArn is "{_ABROAD}", in the account 999988887777': put("destinationArn", _ABROAD),
            'destinationArn is "*", in the account that it does not name': put("destinationArn", "*"),
            'destinationArn is "arn:aws:s3:::elsewhere", none of this stack': put(
                "destinationArn", "arn:aws:s3:::elsewhere"
            ),
        },
        undecided={"destinationArn is known only to the provider": put("destinationArn", Hidden())},
        accepted={"": drop("destinationArn")},
    ),
)
def data_stays_in_account(resource: Resource, inventory: Inventory) -> Judgement:
    own = own_account(inventory)
    accounts = ACCOUNTS.get(resource.type, ()) if own else ()
    return all_of(
        [
            *(in_account(resource, path, own, inventory) for named in accounts for path in places(resource, named)),
            *(
                in_stack(resource, path, inventory)
                for named in S3_BUCKETS.get(resource.type, ())
                for path in places(resource, named)
            ),
            *(
                failed(path, "an address outside AWS", "a place in the own account")
                for path in ADDRESSES.get(resource.type, ())
                if read(resource, path) is not ABSENT
            ),
        ]
    )


@family.rule(
    "aws-alerts-to-named-addresses",
    Severity.MEDIUM,
    "Topics tell only the addresses of the settings",
    types=(SNS_SUBSCRIPTION,),
    rationale="Alerts say what fails, and where: an address that nobody named learns it first.",
    remedy="Set monitoring.alert_email or monitoring.alert_webhook, and subscribe nothing else.",
    frameworks=_AC20,
    examples=lambda: examples(
        given(
            SNS_SUBSCRIPTION,
            {"protocol": "sqs", "endpoint": "arn:aws:sqs:eu-west-1:111122223333:alerts", "topic": "alerts"},
        ),
        broken={
            'endpoint is "https://elsewhere.example/hook"': both(
                put("protocol", "https"), put("endpoint", "https://elsewhere.example/hook")
            ),
            'endpoint is "someone@elsewhere.example"': both(
                put("protocol", "email"), put("endpoint", "someone@elsewhere.example")
            ),
            'protocol is "sms"': put("protocol", "sms"),
            'protocol is "http"': put("protocol", "http"),
        },
        undecided={
            "protocol is known only to the provider": put("protocol", Hidden()),
            "endpoint is known only to the provider": both(put("protocol", "https"), put("endpoint", Hidden())),
        },
    ),
)
def alerts_to_named_addresses(subscription: Resource, inventory: Inventory) -> Judgement:
    protocol = one_of(subscription, "protocol", ("email", "email-json", "https", "sqs", "lambda", "firehose"))
    if protocol != PASS:
        return protocol
    endpoint, required = read(subscription, "endpoint"), "an address of the settings"
    if read(subscription, "protocol") in ("sqs", "lambda", "firehose"):
        return in_account(subscription, "endpoint", own_account(inventory), inventory)
    known = set(_addresses(inventory.settings))
    if is_hidden(endpoint):  # the settings' webhook is a secret, there and in the plan
        is_webhook = endpoint == SECRET and len(known) > 1
        return PASS if is_webhook else unknown("endpoint", required)
    return PASS if endpoint in known else failed("endpoint", shown(endpoint), required)


def _addresses(settings: Mapping[str, Any]) -> Iterator[object]:
    for section in settings.values():
        if isinstance(section, Mapping):
            yield from (section[name] for name in ("alert_email", "alert_webhook") if section.get(name))


@family.rule(
    "aws-images-stay-near",
    Severity.MEDIUM,
    "ECR copies images to the backup region alone",
    types=(ECR_REPLICATION,),
    rationale="Images hold models and code: a copy in a region that nobody chose is under no policy of this stack.",
    remedy="Name the stack's regions and its account in the destinations.",
    frameworks=_AC20,
    examples=lambda: examples(
        given(ECR_REPLICATION, {f"{_TO}.region": "eu-central-1", f"{_TO}.registryId": "111122223333"}),
        broken={
            f'{_TO}.region is "us-east-1"': put(f"{_TO}.region", "us-east-1"),
            f"{_TO}.region is absent": drop(f"{_TO}.region"),
        },
        undecided={f"{_TO}.region is known only to the provider": put(f"{_TO}.region", Hidden())},
    ),
)
def images_stay_near(config: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    regions = [region for region in (settings.region, settings.backup_region) if region]
    found = list(places(config, "replicationConfiguration.rules.*.destinations.*.region"))
    lists = [path for path in found if not path.endswith(".region")]
    return all_of(
        unknown(path, "regions that the plan knows") if path in lists else one_of(config, path, regions)
        for path in found
    )


_ACLS: Final[Mapping[str, str]] = {
    "aws:s3/bucketAcl:BucketAcl": "acl",
    "aws:s3/bucketObject:BucketObject": "acl",
    "aws:s3/bucketObjectv2:BucketObjectv2": "acl",
    "aws:s3/objectCopy:ObjectCopy": "acl",
    S3_BUCKET: "acl",
}
_OPEN_DOORS: Final = (
    "aws:ecrpublic/repository:Repository",
    "aws:ecrpublic/repositoryPolicy:RepositoryPolicy",
    "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration",
)
_BLOCKS: Final[Mapping[str, str]] = {
    S3_ACCESS_POINT: "publicAccessBlockConfiguration",
    S3_MULTI_REGION: "details.publicAccessBlock",
}
_BLOCKED: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_ACL: Final = "aws:s3/bucketAcl:BucketAcl"


@family.rule(
    "aws-nothing-public-by-itself",
    Severity.CRITICAL,
    "Nothing is public by its own kind, by an ACL or by an access point",
    types=(*_ACLS, *_OPEN_DOORS, *_BLOCKS),
    rationale="An ACL, a public registry, a website and an access point let the world in beside every policy.",
    remedy="Remove the ACL or the public resource, and leave an access point's four blocks on.",
    frameworks={Framework.NIST_800_53: ("AC-3",)},
    examples=lambda: examples(
        given(_ACL, {"bucket": "models", "acl": "private"}),
        broken={
            'acl is "public-read"': put("acl", "public-read"),
            'acl is "authenticated-read"': put("acl", "authenticated-read"),
            "accessControlPolicy is a list of grants beside IAM": put("accessControlPolicy", {"grants": []}),
        },
        undecided={"acl is known only to the provider": put("acl", Hidden())},
        accepted={"": drop("acl")},
    ),
)
def nothing_public_by_itself(resource: Resource, _: Inventory) -> Judgement:
    if resource.type in _OPEN_DOORS:
        return failed("", "public by its kind", "no such resource")
    if resource.type in _BLOCKS:
        block = _BLOCKS[resource.type]
        paths = [f"{block}.{name}" for name in _BLOCKED]
        return all_of(if_given(resource, path, lambda path=path: equals(resource, path, True)) for path in paths)
    path = _ACLS[resource.type]
    grants = [p for p in ("accessControlPolicy", "grants") if read(resource, p) not in (ABSENT, [])]
    return all_of(
        [
            if_given(resource, path, lambda: one_of(resource, path, ("private", "bucket-owner-full-control"))),
            *(failed(p, "a list of grants beside IAM", "grants by policies") for p in grants),
        ]
    )
