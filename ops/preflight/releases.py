"""Whether a model release is published, judged by its manifest, which is written last."""

from __future__ import annotations

import hashlib

from pydantic import ValidationError

from ops.models.manifest import Manifest
from ops.models.releases import RELEASES
from ops.preflight.model import Finding, missing, ok
from ops.preflight.wanted import Wanted


def manifest_key(version: str) -> str:
    """Where a release's manifest lies in the bucket."""
    return f"{RELEASES}{version}/manifest.json"


def judged_release(wanted: Wanted, bucket: str, content: bytes | None) -> Finding:
    """What the manifest says; None where there is none."""
    subject = f"release {wanted.release} in {bucket}"
    publish = f"seawall models publish {wanted.stack} --version {wanted.release}"
    if content is None:
        return missing(subject, "not published: the fleet would wait for it", publish)
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError:
        return missing(subject, "its manifest is not one", f"seawall models list {wanted.stack}")
    digest = hashlib.sha256(content).hexdigest()
    return ok(subject, f"{len(manifest.files)} files, manifest sha256:{digest[:12]}…")
