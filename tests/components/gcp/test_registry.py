"""The registry: tags that cannot move, and copies that nothing removes."""

from __future__ import annotations

from typing import Any

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


def test_nothing_removes_a_copied_image(gcp_platform: Any) -> None:
    for name in ("mirror", "mirror-copy"):
        assert not gcp_platform.one("registry", name, REPOSITORY).get("cleanupPolicies")


def test_images_lie_in_repositories_that_hold_them(gcp_platform: Any) -> None:
    modes = {r.get("mode") for r in gcp_platform.inventory.of_type(REPOSITORY)}
    assert modes == {"STANDARD_REPOSITORY"}, "a remote repository asks upstream at a pull"
