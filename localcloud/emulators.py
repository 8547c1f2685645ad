"""What the local cloud expects of an emulator, and the child processes that emulators are made of.

An emulator is started at the beginning of a command from the last snapshot, saved at its end, and stopped. The
snapshot of a stack is one folder that the session fills and swaps in as a whole: emulators, provider store and
Pulumi's state together, so that they never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from common.target import Target
from components.contracts.vocabulary import Cloud


@dataclass(frozen=True)
class StackPlace:
    """What an emulator may know of its stack, before anything is deployed."""

    stack: str
    region: str
    backup_region: str
    account: str
    """AWS account id, or Google Cloud project id."""
    people: tuple[str, ...] = ()
    """Emails of service accounts that are there before the stack, as the deployer's is (Google Cloud)."""
    project_number: str = ""
    """Google Cloud only: names the service agents."""
    bootstrapped: bool = True
    """Whether the account begins as a bootstrap stack leaves one; else as it is before."""
    operator: str = ""
    """The role of an administrator, which the operator of the local cloud has taken on (AWS)."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Policies of its own that a bootstrapped account has, name → document (AWS)."""


class Emulator(Protocol):
    """One cloud's emulated data plane, constructed with `(place: StackPlace, folder: Path)`; idle until started.

    `folder` exists, belongs to this emulator alone, and is emptied before each start: scratch files and logs.
    Loopback only, on ports that the system picks.
    """

    @property
    def name(self) -> str:
        """How messages call it: `AWS emulator`."""
        ...

    def start(self, snapshot: Path | None) -> None:
        """Serve, with the contents of `snapshot` (a folder that an earlier `save` filled) or empty for None.

        Returns once requests are answered. Raises UserError if it cannot; nothing is left running then. Never
        writes into `snapshot`.
        """
        ...

    def save(self, into: Path) -> None:
        """Write everything that `start` needs into the empty folder `into`. Raises UserError if it cannot."""
        ...

    def lose_region(self, region: str) -> None:
        """From now on nothing in `region` answers any call, and background work in it, from it and to it stops.

        What is global in the cloud (identities) goes on. What was there is kept, unseen, for `restore_region`.
        """
        ...

    def restore_region(self, region: str) -> None:
        """Undo `lose_region`: the region answers again, with all that it held, and its background work goes on."""
        ...

    def unknown_condition_keys(self) -> Sequence[str]:
        """Condition keys of policies on which a decision hinged so far and that the judge was told nothing of."""
        ...

    def check(self) -> None:
        """Raise UserError (what died, the last lines of its log, the remedy) if a process of it is gone."""
        ...

    def stop(self) -> None:
        """End every process; safe to call twice or before `start`, and never raises."""
        ...

    def target(self) -> Target:
        """Where its APIs are reached; valid between `start` and `stop`.

        `target().environment` is also given to the Pulumi engine, so that stand-in providers find the endpoints.
        """
        ...

    def provider_environment(self) -> Mapping[str, str]:
        """Further environment variables for the stand-in providers alone."""
        ...


def build_emulator(cloud: Cloud, place: StackPlace, folder: Path) -> Emulator:
    """The emulator of `cloud`, the only place that picks one; `folder` is its own."""
    # Imported here: an emulator's libraries take a second to load, and a stack needs one cloud's only.
    if cloud is Cloud.AWS:
        from localcloud.aws.emulator import AwsEmulator

        return AwsEmulator(place, folder)
    from localcloud.gcp.emulator import GcpEmulator

    return GcpEmulator(place, folder)
