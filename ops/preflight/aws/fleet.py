"""What the fleet needs before it starts: images in both regions, the release, confirmed alerts, a way in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ops.images.wanted import Wanted as WantedImage
from ops.images.wanted import judge_one
from ops.preflight.aws.reader import AwsReader
from ops.preflight.door import reachable
from ops.preflight.images import images_of, judged, subject_of
from ops.preflight.model import Finding, Unread, missing, not_applicable, ok, unknown
from ops.preflight.releases import judged_release
from ops.preflight.wanted import Wanted

NO_CLUSTER: Final = "ResourceNotFoundException"


def images(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether each image is in the registry of each region that pods start in, under a tag that keeps it."""
    for image in images_of(wanted):
        try:
            yield _image(reader, wanted, image)
        except Unread as error:
            yield unknown(subject_of(image), error.why, error.remedy)


def _image(reader: AwsReader, wanted: Wanted, image: WantedImage) -> Finding:
    repository = image.repository.partition("/")[2]
    named = {"registryId": wanted.account, "repositoryNames": [repository]}
    absent = ("RepositoryNotFoundException",)
    if reader.read("ecr", "describe_repositories", image.region, named, absent=absent) is None:
        return not_applicable(subject_of(image), "not yet: `pulumi up` makes the repository, then it is filled")

    def resolve(reference: str) -> str | None:
        _, at, digest = reference.partition("@")
        which = {"imageDigest": digest} if at else {"imageTag": image.tag}
        asked = {"registryId": wanted.account, "repositoryName": repository, "imageIds": [which]}
        found = reader.read("ecr", "describe_images", image.region, asked, absent=("ImageNotFoundException",))
        return str(found["imageDetails"][0]["imageDigest"]) if found else None

    return judged(wanted.stack, judge_one(image, resolve))


def release(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether the releases that the settings name are published, whole and signed, in the model bucket."""
    bucket = wanted.inventory.outputs.get("model_bucket")
    if not wanted.releases or not bucket:
        return
    name, region = str(bucket["name"]), str(bucket["region"])
    owned = {"Bucket": name, "ExpectedBucketOwner": wanted.account}
    if reader.read("s3", "head_bucket", region, owned, absent=("404", "NoSuchBucket")) is None:
        for pinned in wanted.releases:
            told = "not yet: `pulumi up` makes the bucket, then it is published"
            yield not_applicable(f"release {pinned.version}", told)
        return

    def read(key: str) -> bytes | None:
        found = reader.read("s3", "get_object", region, {**owned, "Key": key}, absent=("NoSuchKey", "404"))
        return None if found is None else found["Body"].read()

    for pinned in wanted.releases:
        yield judged_release(wanted.stack, pinned, name, read)


def alerts(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether whoever gets the alerts has confirmed it: SNS sends nothing before."""
    for topic in wanted.inventory.of_type("aws:sns/topic:Topic"):
        region, name = topic.region or wanted.region, str(topic.get("name"))
        arn = f"arn:aws:sns:{region}:{wanted.account}:{name}"
        wants = {
            str(s.get("endpoint"))
            for s in wanted.inventory.of_type("aws:sns/topicSubscription:TopicSubscription")
            if s.get("protocol") == "email" and topic in wanted.inventory.linked(s, "topic")
        }
        answer = reader.read(
            "sns", "list_subscriptions_by_topic", region, {"TopicArn": arn}, absent=("NotFound", "NotFoundException")
        )
        for address in sorted(wants):
            yield _subscription(f"{name} → {address}", arn, address, answer)


def _subscription(subject: str, arn: str, address: str, answer: dict | None) -> Finding:
    if answer is None:
        return not_applicable(subject, "not yet: `pulumi up` makes the topic and sends the mail")
    mine = [s for s in answer.get("Subscriptions", ()) if s.get("Endpoint") == address]
    if any(str(s["SubscriptionArn"]).startswith("arn:") for s in mine):
        return ok(subject, "confirmed")
    region = arn.split(":")[3]
    again = (
        f"aws sns subscribe --region {region} --topic-arn {arn} --protocol email --notification-endpoint {address}"
    )
    if mine:
        remedy = f"Open the link in the mail to {address}, or have it sent again with `{again}`."
        return missing(subject, "not confirmed: no alert is sent", remedy)
    return missing(subject, "not subscribed: no alert is sent", again)


def control_plane(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether the cluster's address is known here and answers, once there is a cluster."""
    for name in wanted.named("aws:eks/cluster:Cluster", "name"):
        found = reader.read("eks", "describe_cluster", wanted.region, {"name": name}, absent=(NO_CLUSTER,))
        if found is None:
            yield not_applicable(name, "not yet: `pulumi up` makes the cluster")
        else:
            yield reachable(name, str(found["cluster"]["endpoint"]))
