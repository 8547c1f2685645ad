"""How the images that a stack runs stand in its registries, by the judgement of `seawall images`."""

from __future__ import annotations

from ops.images.wanted import Found, State, Wanted, wanted_images
from ops.preflight.model import Finding, missing, ok
from ops.preflight.wanted import Wanted as Needs
from stacks.settings import Settings, stack_file


def images_of(needs: Needs) -> tuple[Wanted, ...]:
    """Every image that a committed stack runs, in both regions; none for a stack without a fleet."""
    return wanted_images(Settings.load(stack_file(needs.stack))) if needs.releases else ()


def subject_of(image: Wanted) -> str:
    """As a person names it."""
    return f"{image.name}@{image.digest[7:19]}… in {image.region}"


def judged(stack: str, found: Found) -> Finding:
    """What `seawall images` says of one image."""
    if found.state is State.PRESENT:
        return ok(subject_of(found.image), "present")
    said = f"{found.state}: {found.detail}" if found.detail else str(found.state)
    return missing(subject_of(found.image), said, found.remedy.replace("STACK", stack))
