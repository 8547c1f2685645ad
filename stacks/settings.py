"""The typed settings of one stack: every bad state is refused, with the value, what is allowed and the remedy."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Self

from pydantic import ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from components.contracts.apart import Apart
from components.contracts.capacity import GKE_NODES_MAX
from components.contracts.cluster import EKS_SERVICE_CIDR
from components.contracts.feature_store import kinds_of
from components.contracts.labels import base_labels, checked_labels
from components.contracts.machines import MACHINES
from components.contracts.offers import zones_of
from components.contracts.place import Place
from components.contracts.regions import REGIONS, distance_km, multi_region_contains
from components.contracts.services import ReleaseSpec
from components.contracts.spec import refused
from components.contracts.specs import KeysSpec, StackSpec
from components.contracts.vocabulary import SYSTEM_POOL, Capacity, Cloud, Environment, OptOut
from stacks.control_plane import control_plane_problems
from stacks.files import CONFIG_DIR, check_named, stack_file, stack_names, values_of
from stacks.fitting import fleet_problems, kept, spot_problems
from stacks.objectives import objective_problems, store_zones
from stacks.offering import offer_problems
from stacks.pools import pool_problems
from stacks.problems import Problem, SettingsError, problems_of
from stacks.sharing import driver_problems, sharing_problems
from stacks.versions import ahead_of, before, neighbour

__all__ = ["ACCOUNT", "CONFIG_DIR", "CONFIG_KEY", "Settings", "SettingsError", "stack_file", "stack_names"]

CONFIG_KEY = "seawall:settings"
"""The one Pulumi config key that holds a stack's settings, as an object."""

KEY_WINDOW_DAYS_GCP = KeysSpec.model_fields["deletion_window_days"].default
"""`destroyScheduledDuration` is immutable (Config Connector's reference of KMSCryptoKey, read 2026-11-21)."""

ACCOUNT = {
    Cloud.AWS: (re.compile(r"^\d{12}$"), "the 12 digits of an AWS account"),
    Cloud.GCP: (re.compile(r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$"), "the id of a Google Cloud project"),
}
"""Cloud → what an account's name looks like, and in words."""


class Settings(StackSpec):
    """One stack's settings. The file's name and these values together decide everything that is deployed."""

    @classmethod
    def parse(cls, values: object, source: str) -> Self:
        """Validate `values`, which came from `source`.

        Raises:
            SettingsError: with every problem found, not only the first.
        """
        try:
            settings = cls.of_written(values)
        except ValidationError as error:
            raise SettingsError(source, problems_of(error, cls)) from None
        found = list(settings.cross_section_problems())
        if found:
            raise SettingsError(source, found)
        return settings

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the settings of a `Pulumi.<stack>.yaml`.

        Raises:
            SettingsError: the file is missing, not YAML, lacks the key, or holds a bad state.
        """
        settings = cls.parse(values_of(path, CONFIG_KEY), str(path))
        check_named(path, settings.place.stack, "environment, cloud")
        found = settings._ahead(path)
        if found:
            raise SettingsError(str(path), found)
        return settings

    def _ahead(self, path: Path) -> list[Problem]:
        """What this stack would have before the same cloud's stack of the environment that it follows."""
        earlier = before(self.environment)
        file = neighbour(path, earlier, self.cloud) if earlier else path
        if earlier is None or not file.is_file():
            return []
        try:
            written = YAML(typ="safe").load(file.read_text(encoding="utf-8"))["config"][CONFIG_KEY]
            cluster = dict(written.get("cluster") or {})
            return ahead_of(cluster, self.cluster, f"{earlier}-{self.cloud}")
        except (MarkedYAMLError, UnicodeDecodeError, LookupError, TypeError, ValueError, AttributeError):
            return []  # that file's own refusal says what is wrong with it

    @property
    def apart(self) -> Apart:
        """How strictly replicas of what all services depend on stand apart."""
        return Apart(self.pools[SYSTEM_POOL].min_nodes)

    @property
    def place(self) -> Place:
        """Where the stack lives, as every component is given it."""
        return Place(
            cloud=self.cloud,
            environment=self.environment,
            account=self.account,
            region=self.region,
            backup_region=self.backup.region,
            zones=self.zones,
            project_number=self.project_number,
            extra_labels=self.labels,
            opt_outs=self.opt_outs,
            generation=self.generation,
        )

    @model_validator(mode="after")
    def _needs_system_pool(self) -> Self:
        if SYSTEM_POOL not in self.pools:
            raise refused(
                f"pools has no {SYSTEM_POOL!r}",
                allowed=f"a pool named {SYSTEM_POOL!r} beside the GPU pools",
                remedy="Add it: it carries everything but the fleet.",
            )
        return self

    def cross_section_problems(self) -> list[Problem]:
        """What is wrong between sections; each section by itself is sound by now."""
        checks = (
            self._account_problems,
            self._region_problems,
            self._backup_region_problems,
            self._key_problems,
            self._label_problems,
            self._pool_problems,
            self._offer_problems,
            self._sharing_problems,
            self._address_problems,
            self._standby_problems,
            self._control_plane_problems,
            self._feature_store_problems,
            self._fleet_problems,
            self._signer_problems,
            self._ending_problems,
            self._capacity_problems,
        )
        return [problem for check in checks for problem in check()]

    def _account_problems(self) -> list[Problem]:
        pattern, allowed = ACCOUNT[self.cloud]
        problems = []
        if not pattern.match(self.account):
            problems.append(Problem("account", self.account, allowed, "Quote it, so that YAML keeps it a string."))
        if (self.cloud is Cloud.GCP) != bool(self.project_number):
            allowed = "the project's number" if self.cloud is Cloud.GCP else "nothing: only Google Cloud has one"
            problems.append(Problem("project_number", self.project_number, allowed, "Set it on Google Cloud only."))
        if self.cloud is Cloud.AWS and self.generation != 1:
            allowed = "1: AWS gives up the names of what is deleted"
            problems.append(Problem("generation", self.generation, allowed, "Remove the key."))
        return problems

    def _region_problems(self) -> list[Problem]:
        problems = []
        if self.region not in REGIONS[self.cloud]:
            problems.append(Problem("region", self.region, _regions(self.cloud), "Choose one of these."))
        if len(set(self.zones)) < len(self.zones):
            problems.append(Problem("zones", list(self.zones), "each zone once", "Remove the repeated one."))
        return problems

    def _backup_region_problems(self) -> list[Problem]:
        there, path = self.backup.region, "backup.region"
        remedy = f"Choose a region at least {self.backup.min_distance_km} km from {self.region}."
        if self.cloud is Cloud.GCP and multi_region_contains(there, self.region):
            return [Problem(path, there, f"a single region; {there} contains the primary {self.region}", remedy)]
        if there not in REGIONS[self.cloud]:
            return [Problem(path, there, _regions(self.cloud), remedy)]
        if there == self.region:
            return [Problem(path, there, "a region other than the primary", remedy)]
        if self.region not in REGIONS[self.cloud]:
            return []
        distance = distance_km(self.cloud, self.region, there)
        if distance < self.backup.min_distance_km:
            allowed = (
                f"at least {self.backup.min_distance_km} km from {self.region}; {there} is {distance:.0f} km away"
            )
            return [Problem(path, there, allowed, remedy)]
        return []

    def _key_problems(self) -> list[Problem]:
        """Cloud KMS takes the window when a key is made and never again: another one would replace every key."""
        days = self.keys.deletion_window_days
        if self.cloud is not Cloud.GCP or days == KEY_WINDOW_DAYS_GCP:
            return []
        return [
            Problem(
                "keys.deletion_window_days",
                days,
                f"{KEY_WINDOW_DAYS_GCP}: Cloud KMS cannot change it, so a key of another one would replace the key",
                "Leave it out.",
            )
        ]

    def _label_problems(self) -> list[Problem]:
        try:
            checked_labels(self.cloud, base_labels(self.environment, self.place.stack, self.labels))
        except ValueError as error:
            return [Problem("labels", self.labels, str(error), "Rename the label, or change its value.")]
        return []

    def _pool_problems(self) -> list[Problem]:
        problems = pool_problems(self.cloud, self.pools, self.zones)
        system = self.pools[SYSTEM_POOL]
        if any(
            MACHINES[self.cloud][name].accelerator for name in system.machine_types if name in MACHINES[self.cloud]
        ):
            problems.append(
                Problem(
                    f"pools.{SYSTEM_POOL}.machine_types",
                    list(system.machine_types),
                    "machines without GPUs",
                    "Keep GPUs for the fleet.",
                )
            )
        if system.min_nodes < 1:
            problems.append(
                Problem(
                    f"pools.{SYSTEM_POOL}.min_nodes",
                    system.min_nodes,
                    "at least 1",
                    "Raise it: something must run what keeps the cluster alive.",
                )
            )
        if self.apart.hard and system.max_nodes == system.min_nodes:
            problems.append(
                Problem(
                    f"pools.{SYSTEM_POOL}.max_nodes",
                    system.max_nodes,
                    f"at least {system.min_nodes + 1}",
                    "Raise it: replicas of what all services depend on never share a machine, and where all are full "
                    "a rollout needs one more for a while.",
                )
            )
        return problems

    def _offer_problems(self) -> list[Problem]:
        if self.region not in REGIONS[self.cloud]:
            return []  # one refusal for one cause
        return offer_problems(self)

    def _sharing_problems(self) -> list[Problem]:
        return [*sharing_problems(self), *driver_problems(self)]

    def _address_problems(self) -> list[Problem]:
        most = sum(pool.max_nodes for pool in self.pools.values())
        if self.cloud is not Cloud.GCP or most <= GKE_NODES_MAX:
            return []
        allowed = f"max_nodes that add up to at most {GKE_NODES_MAX}, for which the network has pods' addresses"
        return [Problem("pools", f"{most} machines", allowed, "Lower the pools' max_nodes.")]

    def _control_plane_problems(self) -> list[Problem]:
        return control_plane_problems(self)

    def _standby_problems(self) -> list[Problem]:
        there = ipaddress.IPv4Network(self.standby.cidr)
        taken = {"network.cidr": self.network.cidr} | {
            f"cluster.private_cidrs.{key}": cidr for key, cidr in self.cluster.private_cidrs.items()
        }
        if self.cloud is Cloud.AWS:
            taken["the addresses of an EKS cluster's services"] = EKS_SERVICE_CIDR
        return [
            Problem(
                "standby.cidr", self.standby.cidr, f"a range beside {path}, {cidr}", "Choose another private /16."
            )
            for path, cidr in taken.items()
            if there.overlaps(ipaddress.IPv4Network(cidr))
        ]

    def _feature_store_problems(self) -> list[Problem]:
        store = self.feature_store
        if store.cloud is not self.cloud:
            allowed = f"{', '.join(kinds_of(self.cloud))}: what {self.cloud} offers"
            return [Problem("feature_store.kind", str(store.kind), allowed, "Choose one of these.")]
        for path, region in (("region", self.region), ("backup.region", self.backup.region)):
            if store.regions is not None and region not in store.regions:
                allowed = f"{', '.join(sorted(store.regions))}: where {store.kind} has copies in two regions"
                return [Problem(path, region, allowed, "Choose one of these, or another feature_store.kind.")]
        for path, letters, region in store_zones(store, self.region, self.backup.region):
            known = zones_of(self.cloud, region)
            unknown = [letter for letter in letters if known and f"{region}-{letter}" not in known]
            if unknown:
                allowed = f"letters of {', '.join(known)}"
                return [Problem(f"feature_store.{path}", ", ".join(unknown), allowed, "Choose among these.")]
        return objective_problems(self.cloud, store, self.backup)

    def _fleet_problems(self) -> list[Problem]:
        return fleet_problems(self.cloud, self.pools, self.fleet)

    def _signer_problems(self) -> list[Problem]:
        """A release is code: what the fleet serves must be somebody's who is trusted to publish."""
        path, reason = f"opt_outs.{OptOut.UNSIGNED_RELEASES}", self.opt_outs.get(OptOut.UNSIGNED_RELEASES)
        unsigned = [where for where, release in self.releases().items() if not release.signers]
        if reason is not None and not unsigned:
            return [Problem(path, reason, "nothing where signers are named", "Remove it, or the signers.")]
        if reason is not None and self.environment is not Environment.DEV:
            names = ", ".join(f"{where}.signers" for where in unsigned)
            return [Problem(path, reason, "nothing in staging and production", f"Name {names}.")]
        return [
            Problem(
                f"{where}.signers",
                "none",
                "the fingerprint of whoever publishes; in development also a reason under " + path,
                "Write there what `seawall models signer` prints for the publisher.",
            )
            for where in unsigned
            if reason is None
        ]

    def releases(self) -> dict[str, ReleaseSpec]:
        """Every release that the fleet serves, by where the settings name it."""
        return {
            f"fleet.services.{each.service}{'' if each.stable else f'.challengers.{each.name}'}.release": each.release
            for each in self.fleet.variants
        }

    def _ending_problems(self) -> list[Problem]:
        problems = spot_problems(self.cloud, self.pools, self.fleet)
        serving_on_spot = any(Capacity.SPOT in p.capacity for key, p in self.pools.items() if key != SYSTEM_POOL)
        if self.cloud is Cloud.GCP and serving_on_spot and int(self.cluster.version.partition(".")[2]) < 35:
            allowed = "1.35 or later: before it GKE gives a pod on a spot machine 15 seconds to end"
            remedy = "Raise it, or take spot out of the pools' capacity."
            problems.append(Problem("cluster.version", self.cluster.version, allowed, remedy))
        for name, service in self.fleet.services.items():
            if self.environment is Environment.PROD and service.hours is not None:
                path, allowed = f"fleet.services.{name}.hours", "nothing in production, which answers at all hours"
                problems.append(Problem(path, "set", allowed, f"Remove {path}."))
        return problems

    def _capacity_problems(self) -> list[Problem]:
        """Spot machines may all go at once; what production needs at least must not be on them."""
        if self.environment is not Environment.PROD or OptOut.ON_DEMAND_CAPACITY in self.opt_outs:
            return []
        if self._fleet_problems():
            return []  # one refusal for one cause
        held = kept(self.cloud, self.pools, self.fleet)
        return [
            Problem(
                "pools",
                f"machines for {held[name]} replicas of {name} before any that the cloud takes back",
                f"in production, reserved or on-demand machines first, for min_replicas: {service.min_replicas}",
                "Put reservation or on-demand first in a serving pool's capacity, enlarge it, or give a reason under "
                f"opt_outs.{OptOut.ON_DEMAND_CAPACITY}.",
            )
            for name, service in self.fleet.services.items()
            if held[name] < service.min_replicas
        ]


def _regions(cloud: Cloud) -> str:
    return ", ".join(sorted(REGIONS[cloud]))
