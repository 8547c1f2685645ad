"""Whether a model release is published, with the content that is pinned, by whom the settings trust.

Judged by its manifest, written last, and its signature, as the fleet's init container does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from common.attestation.problems import RefusedError, UnreadableError
from ops.models.layout import attestation_key, manifest_key
from ops.models.lineage import stated
from ops.models.trusting import trust_of
from ops.preflight.model import Finding, missing, ok
from ops.preflight.wanted import Release


def judged_release(stack: str, release: Release, bucket: str, read: Callable[[str], bytes | None]) -> Finding:
    """What the manifest in the bucket and its signature say.

    Args:
        read: an object of the bucket by its key; None where there is none.
    """
    content = read(manifest_key(release.version))
    subject = f"release {release.version} in {bucket}"
    if content is None:
        publish = f"seawall models publish {stack} --version {release.version}"
        return missing(subject, "not published: the fleet would wait for it", publish)
    digest = hashlib.sha256(content).hexdigest()
    if digest != release.manifest_sha256:
        return missing(
            subject,
            f"its manifest is sha256:{digest[:12]}…, and the settings pin {release.manifest_sha256[:12]}…",
            "Publish the pinned content under a new version, or pin in the settings what is published.",
        )
    as_pinned = f"published, manifest sha256:{digest[:12]}… as pinned"
    trust = trust_of(stack, release.signers)
    if trust is None:
        return ok(subject, f"{as_pinned}; no signature is asked for")
    key = attestation_key(release.version)
    try:
        found = stated(read(key), release.version, digest, trust, f"{bucket}/{key}")
    except (RefusedError, UnreadableError) as error:
        return missing(
            subject,
            f"{error.what}: no pod serves it",
            error.remedy.replace("publish STACK`", f"publish {stack} --version {release.version}`"),
        )
    return ok(subject, f"{as_pinned}, signed by {found.signed_with}")
