"""Brings a stack's registries to what the settings ask: copies what is missing, tags what would expire.

It can be run again at any time: what is there is left alone, and a copy that was cut short goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Iterable

from common.console import Steps
from common.errors import UserError
from ops.images.registry import Registry, TamperedError
from ops.images.wanted import Found, State, Wanted, judge_one


def sync(images: Iterable[Wanted], registry: Registry, steps: Steps) -> list[Found]:
    """Copy and tag; returns how each image stands afterwards, as read back from the registry.

    Images are taken in their order, so that the primary region has what the backup region copies from it.

    Raises:
        UserError: a registry cannot be asked or written to; what was copied before stays.
    """
    return [_brought(image, registry, steps) for image in images]


def _brought(image: Wanted, registry: Registry, steps: Steps) -> Found:
    found = judge_one(image, registry.digest)
    source = image.pinned if found.state is State.UNTAGGED else image.source
    if found.state not in (State.UNTAGGED, State.MISSING) or source is None:
        return found
    if source != image.pinned and registry.digest(source) is None:
        return Found(image, State.MISSING, f"its source does not have it: {source}")
    with steps.step(f"Copy {image.name} {image.tag} to {image.region}"):
        try:
            registry.copy(source, image.tagged)
        except TamperedError as error:
            return Found(image, State.REFUSED, str(error))
    again = judge_one(image, registry.digest)
    if again.state is State.MISSING:
        raise UserError(
            "the registry took the image and does not have it", image.tagged, "Look at the registry's own log."
        )
    return again
