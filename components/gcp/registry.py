"""The container registry: immutable tags under the stack's key, and mirrors of the public registries in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeysRef, RegistryRef
from components.contracts.specs import RegistrySpec
from components.contracts.stateful import NotCopied, Stateful
from components.gcp.durations import days

SERVING_IMAGE: Final = "triton"
UPSTREAMS: Final = ("registry.k8s.io", "quay.io")
"""Public registries that the platform's own images come from."""

IMAGES: Final = Stateful("the serving images", NotCopied("an image can be built again and pushed to any region"))


class Registry(Component):
    """Artifact Registry: one repository of our own, one remote repository per public registry.

    The network has no way to the internet; remote repositories fetch what the cluster asks for, and keep it.
    """

    ref: RegistryRef

    def __init__(
        self, name: str, place: Place, spec: RegistrySpec, *, keys: KeysRef, provider: pulumi.ProviderResource
    ) -> None:
        super().__init__("gcp:Registry", name, provider)
        own = place.name("serving")
        kept = self.keep(gcp.artifactregistry.Repository, "serving", IMAGES, place)
        serving = gcp.artifactregistry.Repository(
            kept.name,
            repository_id=own,
            project=place.account,
            location=place.region,
            format="DOCKER",
            mode="STANDARD_REPOSITORY",
            description=f"{place.stack}: serving images",
            kms_key_name=keys.data.id,
            docker_config={"immutable_tags": True},
            cleanup_policy_dry_run=False,
            cleanup_policies=[
                {
                    "id": "untagged",
                    "action": "DELETE",
                    "condition": {
                        "tag_state": "UNTAGGED",
                        "older_than": days(spec.untagged_retention_days),
                    },
                }
            ],
            labels=place.labels,
            opts=kept.options,
        )
        mirrors = [self._mirror(host, place, keys) for host in UPSTREAMS]
        self.ref = RegistryRef(
            url=f"{repository_url(place, own)}/{SERVING_IMAGE}",
            mirrors=mirror_urls(place),
            id=ready(serving.id, *mirrors),
        )
        self.finish({"url": self.ref.url})

    def _mirror(self, host: str, place: Place, keys: KeysRef) -> gcp.artifactregistry.Repository:
        return gcp.artifactregistry.Repository(
            _slug(host),
            repository_id=mirror_id(place, host),
            project=place.account,
            location=place.region,
            format="DOCKER",
            mode="REMOTE_REPOSITORY",
            description=f"{place.stack}: images of {host}",
            kms_key_name=keys.data.id,
            remote_repository_config={
                "description": host,
                "common_repository": {"uri": f"https://{host}"},
            },
            labels=place.labels,
            # Stateless: a mirror fetches again what it is asked for.
            opts=pulumi.ResourceOptions(parent=self),
        )


def registry_host(place: Place) -> str:
    """Artifact Registry's host in the stack's region."""
    return f"{place.region}-docker.pkg.dev"


def repository_url(place: Place, repository_id: str) -> str:
    """What image names in a repository begin with."""
    return f"{registry_host(place)}/{place.account}/{repository_id}"


def mirror_id(place: Place, host: str) -> str:
    """The id of the remote repository that mirrors a public registry."""
    return place.name(f"mirror-{_slug(host)}")


def mirror_urls(place: Place) -> Mapping[str, str]:
    """Public registry host → the prefix under which its images are pulled from within the network."""
    return {host: repository_url(place, mirror_id(place, host)) for host in UPSTREAMS}


def _slug(host: str) -> str:
    return host.replace(".", "-")
