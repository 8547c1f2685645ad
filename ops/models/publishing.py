"""Publishes a release as a person does: signed with their key, with the lineage that lies beside the models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common.attestation.signers import default_key, local_key, open_signer
from common.errors import UserError
from common.target import Target
from ops.models.lineage import FILE_NAME, Origin, check_signer, read_lineage
from ops.models.manifest import Manifest
from ops.models.releases import Publication, publish
from ops.objects.store import ObjectStore


@dataclass(frozen=True)
class Publisher:
    """Who publishes, and what they say of the model."""

    key: str | None = None
    """What signs, as `common.attestation.signers` names it; the person's own key by default."""
    lineage: Path | None = None
    """The lineage's file; the one beside the model repository by default."""
    without_lineage: str | None = None
    """Why there is none."""


def publish_signed(
    store: ObjectStore,
    folder: Path,
    version: str,
    target: Target,
    publisher: Publisher = Publisher(),
    *,
    switch: bool = True,
    replace_unfinished: bool = False,
) -> Publication:
    """`ops.models.releases.publish`, signed.

    Raises:
        UserError: as there; or there is no lineage and no reason why, or the signer cannot sign.
    """
    named = publisher.key or (local_key() if target.mode == "emulated" else default_key())
    check_signer(named)
    if publisher.lineage is not None and publisher.without_lineage is not None:
        raise UserError(
            "a lineage is named, and a reason why there is none", "--without-lineage", "Leave one of them out."
        )

    def origin(manifest: Manifest) -> Origin:
        if publisher.without_lineage is not None:
            return Origin(None, publisher.without_lineage)
        return Origin(read_lineage(publisher.lineage or folder.resolve().parent / FILE_NAME, manifest))

    return publish(
        store,
        folder,
        version,
        switch=switch,
        replace_unfinished=replace_unfinished,
        signing=open_signer(named, target),
        origin=origin,
    )
