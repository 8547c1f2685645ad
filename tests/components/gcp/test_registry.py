"""The registry: tags that cannot move, and mirrors that the closed network pulls through."""

from __future__ import annotations

from typing import Any

from components.contracts.place import Place
from components.gcp.registry import UPSTREAMS, mirror_urls

REPOSITORY = "gcp:artifactregistry/repository:Repository"


def test_tags_of_the_stacks_own_images_cannot_move(gcp_platform: Any) -> None:
    own = gcp_platform.one("registry", "serving", REPOSITORY)
    assert own.get("dockerConfig.immutableTags") is True


def test_images_without_a_tag_are_removed_when_the_settings_say(gcp_platform: Any) -> None:
    own = gcp_platform.one("registry", "serving", REPOSITORY)
    days = gcp_platform.settings.registry.untagged_retention_days
    (policy,) = own.get("cleanupPolicies")
    assert policy["condition"] == {"tagState": "UNTAGGED", "olderThan": f"{days * 86400}s"}
    assert own.get("cleanupPolicyDryRun") is False, "a dry run removes nothing"


def test_every_mirror_that_is_promised_exists(gcp_platform: Any) -> None:
    planned = {
        r.get("remoteRepositoryConfig.commonRepository.uri"): r.get("repositoryId")
        for r in gcp_platform.inventory.of_type(REPOSITORY)
        if r.get("mode") == "REMOTE_REPOSITORY"
    }
    promised = {f"https://{host}": url.rpartition("/")[2] for host, url in gcp_platform.refs.registry.mirrors.items()}
    assert planned == promised


def test_a_mirror_is_pulled_from_the_stacks_own_region(place: Place) -> None:
    urls = mirror_urls(place)
    assert set(urls) == set(UPSTREAMS)
    assert all(url.startswith("europe-west1-docker.pkg.dev/acme-serving-dev/") for url in urls.values())
