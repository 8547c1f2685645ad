"""What needs a release besides the bucket's own pointer: settings, the deployed fleet, evidence of drills."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from common.errors import UserError
from ops.deployed import DeployedStack
from ops.models.pruning import Need
from stacks.files import platform_names, stack_file
from stacks.settings import Settings

RECENT: Final = timedelta(days=90)
"""Evidence of a drill is looked up again for so long, and the release that it is about is kept."""
_MANIFEST: Final = "release manifest"


def needs_of(stack: DeployedStack, evidence: Path, now: datetime) -> list[Need]:
    """Everything that needs a release in the stack's model bucket.

    Args:
        evidence: the folder that drills wrote to, or demos, into folders of their own.

    Raises:
        UserError: a stack's settings cannot be read, so that nobody knows what it pins.
    """
    deployed = [named for pin in stack.outputs.fleet.pins.items() for named in pin]
    return [
        *(Need(each, f"the deployed fleet of {stack.name} serves it") for each in deployed),
        *_pinned(stack.outputs.model_bucket.name),
        *_proven(stack.name, evidence, now),
    ]


def _pinned(bucket: str) -> Iterator[Need]:
    for name in platform_names():
        settings = Settings.load(stack_file(name))
        if settings.place.bucket_name("models", settings.region) == bucket:
            for release in settings.releases().values():
                for named in (release.version, release.manifest_sha256):
                    yield Need(named, f"the settings of {name} pin it")


def _proven(stack: str, folder: Path, now: datetime) -> Iterator[Need]:
    """Releases that recent evidence is about; whoever signed it, for a forgery only keeps more."""
    from ops.drill.evidence import predicate_of, read_envelope
    from ops.drill.ids import began

    for path in sorted(folder.rglob(f"drill-{stack}-*.json")):
        try:
            told = predicate_of(read_envelope(path))
            drill = str(told["drill_id"])
            digests = [each["digest"]["sha256"] for each in told["artefacts"] if each["name"] == _MANIFEST]
            is_recent = now - began(drill) < RECENT
        except (UserError, ValueError, KeyError, TypeError):
            continue
        if is_recent:
            yield from (Need(digest, f"drill {drill} is about it") for digest in digests)
