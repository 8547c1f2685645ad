"""Where a service is: what its settings pin, what runs, where a canary is, and the records of who changed it why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from common.errors import UserError
from components.contracts import serving
from components.contracts.rollout_specs import Canary
from ops.models import promotions
from ops.models.promoting import Subject, release_in

_STEPS_MISSED: Final = 4
"""After so many times without a step something has stopped what steps it."""
_HALTS: Final = ("Halt ", "Metric query failed")
"""How Flagger's words on a failed check begin (`runMetricChecks` of 1.36.1)."""
_FORBIDDEN, _NOT_FOUND = 403, 404
_IDLE: Final = frozenset({"", "Initialized", "Succeeded", "Failed"})


@dataclass(frozen=True)
class Standing:
    """Where a service is."""

    service: str
    strategy: str
    pinned: Mapping[str, str]
    """Variant → the release that the settings pin."""
    live: str
    running: Mapping[str, str]
    """Deployment → the release that it runs; empty where no cluster was asked."""
    phase: str
    """Flagger's word for where a canary is."""
    weight: int | None
    """Percent of requests that the canary gets."""
    checks: str
    """Which of a canary's checks have failed, and why the last did; empty: none, or none is under way."""
    history: tuple[Mapping[str, Any], ...]
    """The records, newest first."""
    problems: tuple[str, ...]

    def lines(self) -> list[str]:
        """For people."""
        told = [f"{self.service}  {self.strategy}"]
        for variant, version in self.pinned.items():
            told.append(f"  pinned   {variant} {version}{' (live)' if variant == self.live else ''}")
        told += [f"  runs     {name} {version}" for name, version in self.running.items()]
        if self.phase:
            told.append(f"  canary   {self.phase}, {self.weight or 0} % of requests")
        if self.checks:
            told.append(f"  checks   {self.checks}")
        for each in self.history:
            before, after = each["before"]["version"], each["after"]["version"]
            told.append(f"  {each['at'][:10]}  {each['action']} {before} → {after} by {each['who']}: {each['why']}")
        told += [f"  ! {problem}" for problem in self.problems]
        return told


def standing(subject: Subject, kept: list[promotions.Kept], live: Mapping[str, Any], now: datetime) -> Standing:
    """From the settings, the records, and what a cluster was seen to run."""
    variants = ("stable", *subject.spec.challengers)
    pinned = {variant: subject.release(variant).version for variant in variants}
    deployments: Mapping[str, str] = live.get("deployments", {})
    mine = {subject.service, f"{subject.service}-primary", *(f"{subject.service}-{v}" for v in variants)}
    status_of: Mapping[str, Any] = live.get("canaries", {}).get(subject.service, {})
    problems = [f"record {each.promotion.number}: {each.problem}" for each in kept if each.problem]
    if kept and kept[-1].promotion.after.version != pinned.get(kept[-1].promotion.after.variant):
        after = kept[-1].promotion.after
        problems.append(f"the newest record has {after.variant} at {after.version}, the settings pin another")
    problems += _in_cluster(subject, pinned, deployments, status_of, now)
    if isinstance(subject.spec.traffic, Canary):
        problems += [
            f"where the canary is cannot be seen: {each}: let a deployer ask" for each in live.get("refusals", ())
        ]
    return Standing(
        subject.service,
        subject.spec.traffic.strategy,
        pinned,
        subject.live,
        {name: version for name, version in sorted(deployments.items()) if name in mine},
        str(status_of.get("phase") or ""),
        status_of.get("canaryWeight"),
        _checks(subject, status_of, live.get("halts", {}).get(subject.service)),
        tuple(each.promotion.model_dump(mode="json") for each in reversed(kept)),
        tuple(problems),
    )


def _checks(subject: Subject, status: Mapping[str, Any], halt: str | None) -> str:
    """How many checks a release that is under way has failed: too few requests or answers among them."""
    traffic, count = subject.spec.traffic, int(status.get("failedChecks") or 0)
    if not isinstance(traffic, Canary) or not count or status.get("phase") in _IDLE:
        return ""
    why = f"; the last: {halt}" if halt else ""
    return f"{count} failed, and {traffic.analysis.failed_checks_allowed} may{why}"


def _in_cluster(
    subject: Subject,
    pinned: Mapping[str, str],
    deployments: Mapping[str, str],
    status: Mapping[str, Any],
    now: datetime,
) -> Iterator[str]:
    """Where the cluster is not what the settings say, and what to do."""
    up = f"run `pulumi up --stack {subject.stack}`"
    for variant, version in pinned.items():
        name = subject.service if variant == "stable" else f"{subject.service}-{variant}"
        runs = deployments.get(name)
        if runs is not None and runs != version:
            yield f"the settings pin {variant} {version}, and {name} runs {runs}: {up}"
    held, asked = deployments.get(f"{subject.service}-primary"), deployments.get(subject.service)
    if status.get("phase") == "Failed" and held != asked:
        yield (
            f"{asked} was taken back, {held} answers, and the settings still pin {pinned['stable']}: run "
            f"`seawall models rollback {subject.stack} {subject.service} --why …`, or promote another release"
        )
    if status.get("phase") == "Progressing" and held is not None and held == asked:
        yield (
            f"the settings went back to {held} amid a canary: it is stepped against itself, twice, and answers all "
            "requests meanwhile; pin no other release until that has ended"
        )
    traffic, since = subject.spec.traffic, status.get("lastTransitionTime")
    if isinstance(traffic, Canary) and since and status.get("phase") not in _IDLE and status.get("canaryWeight"):
        still = (now - datetime.fromisoformat(str(since))).total_seconds()
        if still > _STEPS_MISSED * traffic.step_seconds:
            yield (
                f"{status['canaryWeight']} % of requests have gone to {asked} for {still / 60:.0f} minutes: "
                "see whether Flagger runs, with `kubectl -n flagger-system get pods`"
            )


def look_at(kubeconfig: Path) -> dict[str, Any]:
    """What a cluster runs in the fleet's namespace: releases by Deployment, canaries' status, and what held them up.

    Raises:
        UserError: it does not answer, or lets nothing be seen.
    """
    from localcloud.cluster import ClusterClient, RefusedError

    client = ClusterClient(kubeconfig)
    try:
        deployments = client.list("apps/v1", "Deployment", serving.NAMESPACE)
        canaries, refusals = [], []
        try:
            canaries = client.list("flagger.app/v1beta1", "Canary", serving.NAMESPACE)
        except RefusedError as error:
            if error.status == _FORBIDDEN:
                refusals.append(error.message)
            elif error.status != _NOT_FOUND:  # no canary was ever asked for there
                raise
        events = client.list("v1", "Event", serving.NAMESPACE, fields="involvedObject.kind=Canary,type=Warning")
    except RefusedError as error:
        raise UserError(
            f"the cluster says: {error.message}", str(kubeconfig), "Let a reader of the stack ask, or leave it out."
        ) from error
    finally:
        client.close()
    releases = {each["metadata"]["name"]: release_in(each) for each in deployments}
    return {
        "deployments": {name: release for name, release in releases.items() if release},
        "canaries": {each["metadata"]["name"]: each.get("status") or {} for each in canaries},
        "halts": _halts(events),
        "refusals": refusals,
    }


def _halts(events: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Canary → why its last check failed, in Flagger's words."""
    failed = [each for each in events if str(each.get("message") or "").startswith(_HALTS)]
    failed.sort(key=lambda each: str(each.get("lastTimestamp") or each["metadata"].get("creationTimestamp") or ""))
    return {each["involvedObject"]["name"]: each["message"] for each in failed}
