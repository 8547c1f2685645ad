"""Where simulated replicas find room, and when they serve: machines that start, images that are pulled, releases.

Machines of all pools that take the replica are one group here. What a cloud is out of, and other services on the
same machines, are not simulated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from components.contracts.scaling import GPU_MACHINE_SECONDS, IMAGE_SECONDS, LOAD_SECONDS, fetch_seconds

NODE_LOOK_SECONDS: Final = 10
"""How often cluster-autoscaler looks: `--scan-interval`'s default (believed: from excerpts of its older source)."""


@dataclass(frozen=True)
class Hosting:
    """What a replica runs on, and how long each step of its start takes.

    Args:
        warm: shares of machines that pods of low priority hold ready, each for one replica, image and all.
        empty_seconds: after which a machine without replicas goes.
    """

    per_machine: int
    least: int
    most: int
    repository_gib: int
    warm: int
    empty_seconds: float
    machine_seconds: float = GPU_MACHINE_SECONDS + NODE_LOOK_SECONDS / 2
    image_seconds: float = IMAGE_SECONDS
    load_seconds: float = LOAD_SECONDS

    @property
    def fetch_seconds(self) -> int:
        """Of the release, from the bucket to the disk."""
        return fetch_seconds(self.repository_gib)


@dataclass
class Replica:
    """One replica's start."""

    machine: Machine
    runs_at: float
    """From then on its pod is Running: image and release are there."""
    serves_at: float


@dataclass
class Machine:
    """A machine, and who has its shares."""

    ready_at: float
    image_at: float = math.inf
    replicas: set[str] = field(default_factory=set)
    warm: int = 0
    empty_since: float | None = None


@dataclass
class Machines:
    """All machines of a service; replicas find room as the scheduler and the node autoscaler would have it."""

    hosting: Hosting
    machines: list[Machine] = field(default_factory=list)
    placed: dict[str, Replica] = field(default_factory=dict)
    _unplaced: list[str] = field(default_factory=list)

    def begin(self, names: list[str]) -> None:
        """Let these replicas, and what is held warm, have started long ago."""
        for _ in range(self.hosting.least):
            self._new(-math.inf)
        for name in names:
            machine = self._with_room() or self._new(-math.inf)
            machine.image_at = -math.inf
            machine.replicas.add(name)
            self.placed[name] = Replica(machine, -math.inf, -math.inf)
        self._keep_warm(-math.inf)

    def ask(self, name: str, now: float) -> None:
        """A replica is asked for."""
        self._unplaced.append(name)
        self.look(now)

    def release(self, name: str, now: float) -> None:
        """A replica is not wanted any more."""
        if name in self._unplaced:
            self._unplaced.remove(name)
            return
        machine = self.placed.pop(name).machine
        machine.replicas.discard(name)
        if not machine.replicas:
            machine.empty_since = now

    def look(self, now: float) -> None:
        """What waits finds room where there is some; empty machines go."""
        self._unplaced = [name for name in self._unplaced if not self._place(name, now)]
        self._keep_warm(now)
        spare = len(self.machines) - self.hosting.least
        for machine in [m for m in self.machines if not m.replicas and not m.warm and m.empty_since is not None]:
            if spare > 0 and now - (machine.empty_since or 0.0) >= self.hosting.empty_seconds:
                self.machines.remove(machine)
                spare -= 1

    def count(self, now: float) -> int:
        """Machines that have joined."""
        return sum(machine.ready_at <= now for machine in self.machines)

    def _place(self, name: str, now: float) -> bool:
        machine = self._with_room()
        if machine is None:
            machine = next((m for m in self.machines if m.warm), None)
            if machine is not None:
                machine.warm -= 1  # the scheduler takes its place: it has the lower priority
        if machine is None and len(self.machines) < self.hosting.most:
            machine = self._new(now + self.hosting.machine_seconds)
        if machine is None:
            return False
        at = max(now, machine.ready_at)
        machine.image_at = min(machine.image_at, at + self.hosting.image_seconds)
        machine.replicas.add(name)
        machine.empty_since = None
        runs = max(at, machine.image_at) + self.hosting.fetch_seconds
        self.placed[name] = Replica(machine, runs, runs + self.hosting.load_seconds)
        return True

    def _keep_warm(self, now: float) -> None:
        while sum(m.warm for m in self.machines) < self.hosting.warm:
            machine = self._with_room()
            if machine is None and len(self.machines) < self.hosting.most:
                machine = self._new(now + self.hosting.machine_seconds)
            if machine is None:
                return
            machine.warm += 1
            machine.empty_since = None
            machine.image_at = min(machine.image_at, max(now, machine.ready_at) + self.hosting.image_seconds)

    def _with_room(self) -> Machine | None:
        """The machine with room that is ready first, and of those the one whose image is."""
        free = [m for m in self.machines if len(m.replicas) + m.warm < self.hosting.per_machine]
        return min(free, key=lambda m: (m.ready_at, m.image_at), default=None)

    def _new(self, ready_at: float) -> Machine:
        machine = Machine(ready_at, empty_since=ready_at)
        self.machines.append(machine)
        return machine
