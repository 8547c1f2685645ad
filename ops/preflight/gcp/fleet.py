"""What the fleet needs before it starts: images in both regions, the release, a way to the control plane."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from ops.images.wanted import Wanted as WantedImage
from ops.images.wanted import judge_one
from ops.preflight.door import reachable
from ops.preflight.gcp.reader import GcpReader
from ops.preflight.images import images_of, judged, subject_of
from ops.preflight.model import Finding, Unread, not_applicable, unknown
from ops.preflight.releases import judged_release
from ops.preflight.wanted import Wanted


def images(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether each image is in the registry of each region that pods start in, under a tag that keeps it."""
    for image in images_of(wanted):
        try:
            yield _image(reader, wanted, image)
        except Unread as error:
            yield unknown(subject_of(image), error.why, error.remedy)


def _image(reader: GcpReader, wanted: Wanted, image: WantedImage) -> Finding:
    _, project, repository, name = image.repository.split("/", 3)
    parent = f"v1/projects/{project}/locations/{image.region}/repositories/{repository}"
    if reader.find("artifactregistry", parent) is None:
        return not_applicable(subject_of(image), "not yet: `pulumi up` makes the repository, then it is filled")
    package = f"{parent}/packages/{quote(name, safe='')}"

    def resolve(reference: str) -> str | None:
        _, at, digest = reference.partition("@")
        if at:
            return digest if reader.find("artifactregistry", f"{package}/versions/{digest}") else None
        found = reader.find("artifactregistry", f"{package}/tags/{image.tag}")
        return str(found["version"]).rpartition("/")[2] if found else None

    return judged(wanted.stack, judge_one(image, resolve))


def release(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether the releases that the settings name are published, whole and signed, in the model bucket."""
    bucket = wanted.inventory.outputs.get("model_bucket")
    if not wanted.releases or not bucket:
        return
    name = str(bucket["name"])
    if reader.find("storage", f"storage/v1/b/{name}") is None:
        for pinned in wanted.releases:
            told = "not yet: `pulumi up` makes the bucket, then it is published"
            yield not_applicable(f"release {pinned.version}", told)
        return

    def read(key: str) -> bytes | None:
        return reader.content("storage", f"storage/v1/b/{name}/o/{quote(key, safe='')}", {"alt": "media"})

    for pinned in wanted.releases:
        yield judged_release(wanted.stack, pinned, name, read)


def alerts(_reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """E-mail channels of Cloud Monitoring need no confirmation by whoever gets the mail."""
    channels = wanted.inventory.of_type("gcp:monitoring/notificationChannel:NotificationChannel")
    for channel in channels:
        address = channel.get("labels.email_address")
        if address:
            yield not_applicable(f"alerts → {address}", "Cloud Monitoring asks nobody to confirm an address")


def control_plane(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether the cluster's address is known here and answers, once there is a cluster."""
    for cluster in wanted.inventory.of_type("gcp:container/cluster:Cluster"):
        name = str(cluster.get("name"))
        path = f"v1/projects/{wanted.account}/locations/{cluster.get('location')}/clusters/{name}"
        found = reader.find("container", path)
        if found is None:
            yield not_applicable(name, "not yet: `pulumi up` makes the cluster")
        else:
            yield reachable(name, _address(found))


def _address(cluster: dict[str, Any]) -> str:
    """The DNS-based endpoint where the cluster has one, else its IP address."""
    dns = cluster.get("controlPlaneEndpointsConfig", {}).get("dnsEndpointConfig", {})
    return str(dns.get("endpoint") or cluster.get("endpoint", ""))
