"""Which images a stack's registries must hold, and what they lack, by the settings and a look-up of digests.

Usage, with anything that resolves a reference to the digest behind it:

    lacking = [found for found in judge(wanted_images(settings), resolve) if found.state is not State.PRESENT]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from components.contracts.images import RegistryAddress, pinned_tag
from stacks import clouds
from stacks.settings import Settings

Resolve = Callable[[str], str | None]
"""A reference (`repository:tag` or `repository@digest`) → the digest behind it; None where there is no such image."""

SERVING = "serving"


class State(StrEnum):
    """How an image stands in a registry."""

    PRESENT = "present"
    UNTAGGED = "untagged"
    """There, but no tag keeps it: it would expire."""
    MISSING = "missing"
    TAKEN = "tag taken"
    """Its tag names another image, and tags cannot be moved."""
    REFUSED = "refused"
    """Its source did not give the content that the digest names."""


@dataclass(frozen=True)
class Wanted:
    """One image in one registry."""

    name: str
    """What people call it: its public name, or `serving`."""
    region: str
    repository: str
    tag: str
    """What keeps it from expiring."""
    digest: str
    source: str | None
    """Where it is copied from, by digest; None for what only its maker can push."""

    @property
    def tagged(self) -> str:
        """The image by its tag."""
        return f"{self.repository}:{self.tag}"

    @property
    def pinned(self) -> str:
        """The image by its digest."""
        return f"{self.repository}@{self.digest}"


@dataclass(frozen=True)
class Found:
    """An image that is wanted, and how it stands."""

    image: Wanted
    state: State
    detail: str = ""

    @property
    def remedy(self) -> str:
        """What to do about it; empty where nothing is to be done."""
        if self.state is State.PRESENT:
            return ""
        if self.state is State.TAKEN:
            if self.image.name == SERVING:
                return f"Delete the tag {self.image.tag} in {self.image.repository}; only the sync may give it."
            return f"Delete the tag {self.image.tag} in {self.image.repository}, or pin its digest in the table."
        if self.state is State.REFUSED:
            return "Find out who changed it, and correct the digest in components/contracts/images.py if it is wrong."
        if self.state is State.MISSING and self.image.source is None:
            return "Build serving_image/, push it, and put the digest into fleet.images.serving."
        return "Run `seawall images sync STACK`."


def wanted_images(settings: Settings) -> tuple[Wanted, ...]:
    """Every image that the stack runs, in both regions; the backup region's come from the primary's."""
    cloud, place = clouds.pick(settings.cloud), settings.place
    here, away = (cloud.registry_address(place, region) for region in (place.region, place.backup_region))
    return (*_in(settings, here, None), *_in(settings, away, here))


def _in(settings: Settings, address: RegistryAddress, source: RegistryAddress | None) -> list[Wanted]:
    digest = settings.fleet.images.serving
    serving = Wanted(
        SERVING,
        address.region,
        address.serving,
        pinned_tag(digest),
        digest,
        f"{source.serving}@{digest}" if source else None,
    )
    public = [
        Wanted(
            image.path,
            address.region,
            address.mirrored(image),
            image.tag,
            image.digest,
            f"{source.mirrored(image)}@{image.digest}" if source else image.upstream,
        )
        for image in settings.fleet.images.public(settings.cloud).values()
    ]
    return [serving, *public]


def judge(images: Iterable[Wanted], resolve: Resolve) -> list[Found]:
    """How each image stands."""
    return [judge_one(image, resolve) for image in images]


def judge_one(image: Wanted, resolve: Resolve) -> Found:
    """How one image stands."""
    named = resolve(image.tagged)
    if named == image.digest:
        return Found(image, State.PRESENT)
    if named is not None:
        return Found(image, State.TAKEN, f"{image.tag} is {named}")
    if resolve(image.pinned) is not None:
        return Found(image, State.UNTAGGED)
    return Found(image, State.MISSING)
