"""Whether a model release is published, with the content that is pinned: judged by its manifest, written last."""

from __future__ import annotations

import hashlib

from ops.models.releases import RELEASES
from ops.preflight.model import Finding, missing, ok
from ops.preflight.wanted import Release


def manifest_key(version: str) -> str:
    """Where a release's manifest lies in the bucket."""
    return f"{RELEASES}{version}/manifest.json"


def judged_release(stack: str, release: Release, bucket: str, content: bytes | None) -> Finding:
    """What the manifest in the bucket says; None where there is none."""
    subject = f"release {release.version} in {bucket}"
    if content is None:
        publish = f"seawall models publish {stack} --version {release.version}"
        return missing(subject, "not published: the fleet would wait for it", publish)
    digest = hashlib.sha256(content).hexdigest()
    if digest != release.manifest_sha256:
        return missing(
            subject,
            f"its manifest is sha256:{digest[:12]}…, and the settings pin {release.manifest_sha256[:12]}…",
            "Publish the pinned content under a new version, or set fleet.model_release to what is published.",
        )
    return ok(subject, f"published, manifest sha256:{digest[:12]}… as pinned")
