"""A release that gives wrong answers is published, made current and served; then it is rolled back.

No check of bytes can see that a release is wrong: its manifest is true. The golden predictions must, and the way
back is `seawall models rollback` and the pin of the fleet.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from common.errors import UserError
from components.contracts.model_versions import ModelVersion, is_release
from ops.drill.before import objects_in
from ops.drill.comparing import objects_check
from ops.drill.model import Check, Control, ExpectedObject, NotRecoverableError
from ops.drill.run import Run
from ops.drill.scenarios import common
from ops.models import layout, pointer, releases
from ops.models.manifest import Manifest
from ops.models.publishing import Publisher, publish_signed
from ops.objects import transfer
from ops.objects.store import ObjectStore

RELEASE_RESTORED = "release.restored"
SERVED = 'pb_utils.Tensor("features", features)'
"""What the first step of the ensemble hands on; a bad release hands on its opposite, and the classifier's answers are
sound answers to that."""
FAULTY = 'pb_utils.Tensor("features", -features)'


class BadRelease:
    """Implements `ops.drill.run.Scenario`."""

    name = "bad-release"
    title = "a release that gives wrong answers is published, made current and served"

    def run(self, run: Run) -> None:
        """Publish and serve a bad release, see that the goldens fail, roll back, and serve the pinned one again."""
        record, a, bucket = run.record, run.a, run.cloud.primary
        pin = a.outputs.fleet.drilled.model_release, a.outputs.fleet.drilled.manifest_sha256
        seed = common.begin(run)
        good = [item for item in seed.objects if item.key.startswith(layout.release_prefix(pin[0]))]
        with record.phase("serve the release that the fleet runs, and predict"):
            pointer.switch_to(bucket, pinned_manifest(run))
            before = common.predictions(run, bucket, run.cloud.feature_store, pin, a.outputs.region)
        with record.phase("publish a bad release, make it current, and serve it"):
            record.lost()
            bad = publish_bad(run)
            record.fact(bad_release={"version": bad[0], "manifest_sha256": bad[1]})
            wrong = common.predictions(run, bucket, run.cloud.feature_store, bad, a.outputs.region)
        with record.phase("roll back"):
            back = releases.rollback(bucket)
            found = {"version": back.version, "manifest_sha256": back.manifest_sha256}
            record.check(
                Check("pointer.restored", "same", {"version": pin[0], "manifest_sha256": pin[1]}, found, bucket.uri)
            )
        with record.phase("verify the previous release"):
            sizes = {item.key: item.size for item in bucket.list(layout.release_prefix(pin[0]))}
            record.check(objects_check(RELEASE_RESTORED, bucket.uri, good, sizes, transfer.digests(bucket, sizes)))
        with record.phase("serve the previous release, and predict"):
            served = back.version, back.manifest_sha256
            after = common.predictions(run, bucket, run.cloud.feature_store, served, a.outputs.region)
            record.check(*after)
        record.proven(60.0 * a.outputs.objectives.rto_minutes)
        with record.phase("negative controls"):
            fault = f"the bad release {bad[0]} is served"
            for worked, planted, again in zip(before, wrong, after, strict=True):
                record.control(Control("release.bad", fault, planted, (worked, again)))
            record.check(Check("objects.untouched", "none", [], _changed(run, good), bucket.uri))


def pinned_manifest(run: Run) -> Manifest:
    """Of the release that the fleet runs.

    Raises:
        NotRecoverableError: what is published is not what the stack pins.
    """
    bucket, fleet = run.cloud.primary, run.a.outputs.fleet.drilled
    manifest = releases.read_manifest(bucket, fleet.model_release)
    if manifest is None or manifest.sha256 != fleet.manifest_sha256:
        raise NotRecoverableError(
            f"the release {fleet.model_release!r} is not what the stack pins",
            bucket.uri,
            "Publish what the stack pins.",
        )
    return manifest


def publish_bad(run: Run) -> tuple[str, str]:
    """A release as the pinned one but for its first step; its version and its manifest's digest.

    Raises:
        UserError: the pinned release has no step that this drill knows how to spoil.
    """
    bucket, pinned = run.cloud.primary, run.a.outputs.fleet.drilled.model_release
    manifest = pinned_manifest(run)
    with tempfile.TemporaryDirectory(prefix="seawall-bad-release-") as scratch:
        folder = Path(scratch, "repository")
        releases.download_release(bucket, manifest, folder)
        step = next((path for path in sorted(folder.rglob("*.py")) if SERVED in path.read_text("utf-8")), None)
        if step is None:
            raise UserError(
                "the release answers in a way that the drill cannot turn round",
                f"{bucket.uri}/{layout.release_prefix(pinned)}",
                f"Change what `ops/drill/scenarios/bad_release.py` looks for: {SERVED!r}.",
            )
        step.write_text(step.read_text("utf-8").replace(SERVED, FAULTY), encoding="utf-8")
        for left in folder.rglob("__pycache__"):
            shutil.rmtree(left)
        # Signed, as a bad release is that a trusted publisher makes: the fleet must find it by its answers.
        publisher = Publisher(without_lineage="a bad release, which a drill made")
        made = publish_signed(bucket, folder, next_version(bucket, pinned), run.target, publisher)
    return made.version, made.manifest_sha256


def next_version(bucket: ObjectStore, pinned: str) -> str:
    """The newest release's name made once more, as a publisher who believes in the release would call it."""
    names = {pinned, *(release.version for release in releases.releases(bucket))}
    newest = max((ModelVersion.parse(name) for name in names if is_release(name)), default=ModelVersion(1, 0, 0))
    return str(replace(newest, pipeline=newest.pipeline + 1))


def _changed(run: Run, good: list[ExpectedObject]) -> list[str]:
    """Objects of the previous release that the bad one changed."""
    now = {item.key: item for item in objects_in(run.cloud.primary)}
    return sorted(item.key for item in good if now.get(item.key) != item)
