"""The only place that picks a cloud's emulators."""

from __future__ import annotations

from pathlib import Path

from components.contracts.vocabulary import Cloud
from localcloud.emulators import Emulator, StackPlace


def build_emulators(cloud: Cloud, place: StackPlace, folder: Path) -> list[Emulator]:
    """The emulators that a stack of `cloud` needs; each is given a folder of its own below `folder`."""
    # Imported here: an emulator's libraries take a second to load, and a stack needs one cloud's only.
    if cloud is Cloud.AWS:
        from localcloud.aws.emulator import AwsEmulator

        return [AwsEmulator(place, folder / "aws")]
    from localcloud.gcp.emulator import GcpEmulator

    return [GcpEmulator(place, folder / "gcp")]
