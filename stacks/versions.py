"""Whether the versions that a cluster asks for exist, fit each other, and were seen in an earlier environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final

from components.contracts.cluster import Channel, ClusterSpec, ExclusionSpec
from components.contracts.releases import MINORS, NODES_BEHIND_MAX, READ_ON, minor_of, offered
from components.contracts.vocabulary import Cloud, Environment
from stacks.problems import Problem

FULL_STOP_DAYS: Final = 30
"""GKE: the longest exclusion of all upgrades of nodes (maintenance exclusions in the GKE guide, 2026-11-21)."""
FULL_STOPS: Final = 3
"""GKE: exclusions of that kind at a time."""
_FASTER: Final = tuple(Channel)


def version_problems(cloud: Cloud, cluster: ClusterSpec) -> Iterator[Problem]:
    """What is wrong with the cluster's version, what runs with it, and when it changes."""
    if cluster.version not in offered(cloud):
        yield _not_offered(cloud, cluster.version)
        return
    yield from _eks(cluster) if cloud is Cloud.AWS else _gke(cluster)


def _not_offered(cloud: Cloud, version: str) -> Problem:
    known = MINORS[cloud].get(version)
    ended = f"; support of {version} ended on {known.supported_until}" if known else ""
    allowed = f"{', '.join(offered(cloud))}: what {cloud} supported on {READ_ON}{ended}"
    remedy = "Upgrade one minor version at a time, as docs/upgrades.md says."
    return Problem("cluster.version", version, allowed, remedy)


def _eks(cluster: ClusterSpec) -> Iterator[Problem]:
    proxy = cluster.release.addons.get("kube-proxy")
    if proxy is not None and not 0 <= minor_of(cluster.version) - minor_of(proxy) <= NODES_BEHIND_MAX:
        allowed = f"of {cluster.version}, or at most {NODES_BEHIND_MAX} minor versions older"
        yield Problem("cluster.release.addons.kube-proxy", proxy, allowed, "Raise the control plane first.")
    if cluster.channel is not None:
        allowed = "nothing: EKS has no channels, it stays on cluster.version"
        yield Problem("cluster.channel", str(cluster.channel), allowed, "Remove it, and see `seawall upgrades`.")
    if cluster.maintenance is not None:
        allowed = "nothing: EKS upgrades nothing by itself while a version is supported"
        remedy = "Remove it, and run `pulumi up` when an upgrade suits you; see `seawall upgrades`."
        yield Problem("cluster.maintenance", "a window", allowed, remedy)


def _gke(cluster: ClusterSpec) -> Iterator[Problem]:
    if cluster.release.nodes or cluster.release.addons:
        allowed = "nothing: GKE's channel brings machines and add-ons to the control plane's version"
        yield Problem("cluster.release", "versions", allowed, "Remove it, and choose a cluster.channel.")
    exclusions = cluster.maintenance.exclusions if cluster.maintenance else {}
    wrong = list(_no_days(exclusions))
    if wrong:
        yield from wrong
        return
    full = {key: exclusion for key, exclusion in exclusions.items() if exclusion.nodes_too}
    for key, exclusion in full.items():
        if _days(exclusion) > FULL_STOP_DAYS:
            yield Problem(
                f"cluster.maintenance.exclusions.{key}",
                f"{exclusion.starts} to {exclusion.ends}",
                f"at most {FULL_STOP_DAYS} days while machines keep their version too",
                "Shorten it, or set nodes_too to false.",
            )
    if len(full) > FULL_STOPS:
        allowed = f"at most {FULL_STOPS} with nodes_too"
        yield Problem("cluster.maintenance.exclusions", sorted(full), allowed, "Remove those that are over.")
    yield from _overlapping(exclusions)


def _days(exclusion: ExclusionSpec) -> int:
    return (date.fromisoformat(exclusion.ends) - date.fromisoformat(exclusion.starts)).days


def _no_days(exclusions: Mapping[str, ExclusionSpec]) -> Iterator[Problem]:
    for key, exclusion in exclusions.items():
        for name in ("starts", "ends"):
            try:
                date.fromisoformat(getattr(exclusion, name))
            except ValueError:
                path = f"cluster.maintenance.exclusions.{key}.{name}"
                yield Problem(path, getattr(exclusion, name), "a day of the calendar", "Correct it.")


def _overlapping(exclusions: Mapping[str, ExclusionSpec]) -> Iterator[Problem]:
    ordered = sorted(exclusions.items(), key=lambda entry: entry[1].starts)
    for (one, first), (other, second) in pairwise(ordered):
        if second.starts < first.ends:
            path = f"cluster.maintenance.exclusions.{other}"
            yield Problem(path, f"overlaps {one}", "times that do not overlap", "Join them.")


def ahead_of(earlier: Mapping[str, object], cluster: ClusterSpec, name: str) -> list[Problem]:
    """What a stack would have before the stack `name`, which goes first; `earlier` is its cluster as written."""
    problems = []
    theirs = str(earlier.get("version") or ClusterSpec.model_fields["version"].default)
    if minor_of(theirs) < minor_of(cluster.version):
        allowed = f"at most {theirs}, the version of {name}, which goes first"
        problems.append(Problem("cluster.version", cluster.version, allowed, f"Upgrade {name} first."))
    channel, own = str(earlier.get("channel") or Channel.REGULAR), cluster.channel or Channel.REGULAR
    if channel in list(Channel) and _FASTER.index(own) > _FASTER.index(Channel(channel)):
        allowed = f"no faster than {channel}, the channel of {name}, which goes first"
        problems.append(Problem("cluster.channel", str(own), allowed, f"Change {name} first."))
    return problems


def before(environment: Environment) -> Environment | None:
    """The environment that one follows."""
    stages = tuple(Environment)
    return stages[stages.index(environment) - 1] if environment is not stages[0] else None


def neighbour(path: Path, environment: Environment, cloud: Cloud) -> Path:
    """The settings file of another environment beside that of a stack."""
    return path.with_name(f"Pulumi.{environment}-{cloud}.yaml")
