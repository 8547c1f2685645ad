"""Has a service serve another release, or the one before again: verified, put on record, and pinned in one step."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from common.attestation.signers import Signing
from common.attestation.trust import Trust
from common.checkout import operator
from common.errors import UserError
from components.contracts.rollout_specs import BlueGreen
from components.contracts.services import STABLE, ReleaseSpec, ServiceSpec
from ops.models import promotions
from ops.models.pins import edited
from ops.models.promotions import Pin, Promotion
from ops.models.releases import verified
from ops.objects.store import ObjectStore

SETTINGS_KEY: Final = "seawall:settings"
WHY_MIN: Final = 10


@dataclass(frozen=True)
class Subject:
    """The service whose release is changed, and where its settings stand."""

    stack: str
    service: str
    spec: ServiceSpec
    file: Path
    check: Callable[[str], None]
    """Raises for a text that would be no sound settings."""

    @property
    def colours(self) -> BlueGreen | None:
        """Its two colours, if it has two."""
        return self.spec.traffic if isinstance(self.spec.traffic, BlueGreen) else None

    @property
    def live(self) -> str:
        """The variant that answers."""
        return self.colours.live if self.colours else STABLE

    @property
    def idle(self) -> str:
        """The variant that a new release is put into: the other colour, or the only variant."""
        if self.colours is None:
            return STABLE
        return self.colours.second if self.live == STABLE else STABLE

    def release(self, variant: str) -> ReleaseSpec:
        """What a variant's settings pin."""
        return self.spec.release if variant == STABLE else self.spec.challengers[variant].release

    def pin(self, variant: str) -> Pin:
        """The same, as records have it."""
        release = self.release(variant)
        return Pin(variant=variant, version=release.version, manifest_sha256=release.manifest_sha256)


@dataclass(frozen=True)
class Done:
    """What came of it."""

    promotion: Promotion | None
    """None: nothing had to be changed."""
    key: str = ""
    """Where the record lies."""


def promote(
    store: ObjectStore, subject: Subject, version: str, why: str, trust: Trust | None, signing: Signing
) -> Done:
    """Pin `version` for the service; with two colours it goes into the idle one, which then is live.

    Raises:
        UserError: the release is not there, not whole, not signed by whom the service trusts, or `why` says nothing;
            or the file cannot be changed. Nothing is changed then.
    """
    _check_why(why)
    manifest = verified(store, version, trust)
    after = Pin(variant=subject.idle, version=version, manifest_sha256=manifest.sha256)
    now = subject.pin(subject.live)
    if (now.version, now.manifest_sha256) == (after.version, after.manifest_sha256):
        return Done(None)
    return _change(store, subject, "promote", now, after, why, trust, signing)


def rollback(store: ObjectStore, subject: Subject, why: str, trust: Trust | None, signing: Signing) -> Done:
    """Pin again what was pinned before the newest promotion; with two colours the other one, which was kept, is live.

    Raises:
        UserError: no promotion led to what is pinned, or its release is not sound any more, or as `promote`.
    """
    _check_why(why)
    now = subject.pin(subject.live)
    kept = promotions.history(store, subject.stack, subject.service, trust)
    found = promotions.to_undo(kept, now)
    if found is None:
        raise UserError(
            f"no promotion on record led {subject.service} to {now.version}",
            f"{store.uri}/{promotions.PREFIX}{subject.stack}/{subject.service}",
            "Name the release that it is to serve: `seawall models promote STACK SERVICE VERSION --why …`.",
        )
    manifest = verified(store, found.before.version, trust)
    if manifest.sha256 != found.before.manifest_sha256:
        raise UserError(
            f"{found.before.version} is not what it was when {subject.service} served it",
            f"{store.uri}/releases/{found.before.version}",
            "Promote another release.",
        )
    return _change(store, subject, "rollback", now, found.before, why, trust, signing)


def _change(
    store: ObjectStore,
    subject: Subject,
    action: Literal["promote", "rollback"],
    now: Pin,
    after: Pin,
    why: str,
    trust: Trust | None,
    signing: Signing,
) -> Done:
    kept = promotions.history(store, subject.stack, subject.service, trust)
    live = (subject.live, after.variant) if subject.colours else None
    promotion = promotions.next_promotion(
        kept,
        stack=subject.stack,
        service=subject.service,
        action=action,
        before=now,
        after=after,
        live=live,
        why=" ".join(why.split()),
        who=operator(),
    )
    text = changed_settings(subject, promotion)
    subject.check(text)
    key = promotions.keep(store, promotion, signing)
    write_whole(subject.file, text)
    return Done(promotion, key)


def changed_settings(subject: Subject, promotion: Promotion) -> str:
    """The settings file's text with what the promotion pins, and a word on who did it."""
    after = promotion.after
    at = ("config", SETTINGS_KEY, "fleet", "services", subject.service)
    release = (*at, "release") if after.variant == STABLE else (*at, "challengers", after.variant, "release")
    values: dict[tuple[str, ...], str] = {
        (*release, "version"): after.version,
        (*release, "manifest_sha256"): f'"{after.manifest_sha256}"',
    }
    if promotion.live and promotion.live[0] != promotion.live[1]:
        values[*at, "traffic", "live"] = promotion.live[1]
    what = "promoted" if promotion.action == "promote" else "rolled back"
    note = f"{what} {promotion.at[:10]} by {promotion.who}: {promotion.why}"
    try:
        text = subject.file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"the settings cannot be read: {error.strerror}", str(subject.file), "Restore it.") from error
    return edited(text, str(subject.file), values, ((*release, "version"), note))


def write_whole(path: Path, text: str) -> None:
    """Replace a file, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.chmod(path.stat().st_mode)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UserError(
            f"the settings cannot be written: {error.strerror}",
            str(path),
            "The change is on record already: write what `seawall models status STACK` says into the file yourself.",
        ) from error


def _check_why(why: str) -> None:
    if len(" ".join(why.split())) < WHY_MIN:
        raise UserError(
            f"{why!r} does not say why",
            "--why",
            f"Say in {WHY_MIN} letters or more what the reader of the record is to know.",
        )


def running(deployments: Mapping[str, Mapping[str, Any]], service: str) -> str | None:
    """The release in the arguments of the Deployment that answers for a service: Flagger's, or its own."""
    for name in (f"{service}-primary", service):
        found = deployments.get(name)
        if found is not None:
            return release_in(found)
    return None


def release_in(deployment: Mapping[str, Any]) -> str | None:
    """The release that a Deployment's pods are told to serve."""
    pod = deployment["spec"]["template"]["spec"]
    for container in (*(pod.get("initContainers") or ()), *pod["containers"]):
        for argument in container.get("args") or ():
            if str(argument).startswith("--release="):
                return str(argument).removeprefix("--release=").rstrip("/").rpartition("/")[2]
    return None
