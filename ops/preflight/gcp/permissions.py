"""Whether the caller may manage every type of resource that the stack plans: tested by `testIamPermissions`.

It says which of the asked permissions the caller holds on the project, from there and from above (Resource Manager
API reference, read 2026-11-21); what a role grants on one bucket or key alone is not seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from common.permissions import needed
from common.permissions.gcp import GCP, NOT_IN_PROJECT
from ops.preflight.gcp.reader import GcpReader, RefusedRequest
from ops.preflight.model import Finding, missing, ok, some, unknown
from ops.preflight.wanted import Wanted

PERMISSIONS_PER_CALL: Final = 100
"""What one call takes at most."""


def permissions(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """One finding for each service."""
    unlisted = wanted.types - GCP.keys()
    if unlisted:
        said = f"no permissions are on record for {some(unlisted)}"
        yield unknown("permissions of new types", said, "Add them to common/permissions/gcp.py.")
    asked = needed(GCP, wanted.types & GCP.keys())
    held, untestable = held_of(reader, sorted(asked - NOT_IN_PROJECT))
    services: dict[str, set[str]] = defaultdict(set)
    for permission in asked - NOT_IN_PROJECT:
        services[permission.partition(".")[0]].add(permission)
    for service, names in sorted(services.items()):
        yield _finding(wanted, service, names, held, untestable)
    above = asked & NOT_IN_PROJECT
    if above:
        yield unknown(
            f"organisation: {len(above)} permissions",
            "held on the organisation, which the project's API does not test",
            "gcloud organizations get-iam-policy ORGANIZATION --flatten='bindings[].members' "
            "--filter='bindings.role:roles/orgpolicy.policyAdmin'",
        )


def held_of(reader: GcpReader, names: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Which of the permissions the caller holds, and which the API refuses to test. Raises Unread."""
    held: set[str] = set()
    untestable: set[str] = set()
    waiting = [names[start : start + PERMISSIONS_PER_CALL] for start in range(0, len(names), PERMISSIONS_PER_CALL)]
    while waiting:
        asked = waiting.pop()
        try:
            answer = reader.ask(
                "cloudresourcemanager",
                f"v1/projects/{reader.project}:testIamPermissions",
                {"permissions": list(asked)},
            )
        except RefusedRequest:
            # One name that cannot be tested on a project has the whole call refused: find it by halves.
            if len(asked) == 1:
                untestable.update(asked)
            else:
                waiting += [asked[: len(asked) // 2], asked[len(asked) // 2 :]]
            continue
        held.update(answer.get("permissions", ()))
    return frozenset(held), frozenset(untestable)


def _finding(
    wanted: Wanted, service: str, names: set[str], held: frozenset[str], untestable: frozenset[str]
) -> Finding:
    subject = f"{service}: {len(names)} permissions"
    denied = sorted(names - held - untestable)
    if denied:
        role = f"seawall_{service}"
        return missing(
            subject,
            f"not held: {some(denied)}",
            f"gcloud iam roles create {role} --project={wanted.account} --permissions={','.join(denied)} && "
            f"gcloud projects add-iam-policy-binding {wanted.account} --role=projects/{wanted.account}/roles/{role} "
            "--member=MEMBER",
        )
    untested = names & untestable
    if untested:
        command = (
            f"gcloud iam list-testable-permissions //cloudresourcemanager.googleapis.com/projects/{wanted.account}"
        )
        return unknown(subject, f"a project's API does not test {some(untested)}", command)
    return ok(subject, "held")
