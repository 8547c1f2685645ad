"""The typed settings of a bootstrap stack, checked against the platform stacks whose account it prepares."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from pydantic import ValidationError

from components.contracts.bootstrap import BootstrapSpec, Deploys, bootstrap_place
from components.contracts.labels import base_labels, checked_labels
from components.contracts.naming import boundary_name
from components.contracts.place import Place
from components.contracts.regions import REGIONS, distance_km
from components.contracts.vocabulary import Cloud, Environment
from stacks.files import check_named, stack_file, values_of
from stacks.problems import Problem, SettingsError, problems_of
from stacks.settings import ACCOUNT, Settings

CONFIG_KEY: Final = "seawall:bootstrap"
"""The one Pulumi config key that holds a bootstrap stack's settings, as an object."""

_REASON_LENGTH: Final = 20
"""The shortest reason for giving up a safe default, in characters; the same as of the platform's `opt_outs`."""

COPY_DISTANCE_KM: Final = 400
"""How far the copy of the state lies from it at least; the same as `backup.min_distance_km` by default."""

ReadSettings = Callable[[Path], Settings]


class BootstrapSettings(BootstrapSpec):
    """One bootstrap stack's settings."""

    @classmethod
    def parse(cls, values: object, source: str, read: ReadSettings = Settings.load) -> Self:
        """Validate `values`, which came from `source`; `read` reads the settings of a platform stack.

        Raises:
            SettingsError: with every problem found, not only the first; or those of a platform stack that it names.
        """
        try:
            settings = cls.model_validate_json(json.dumps(values, default=str))
        except ValidationError as error:
            raise SettingsError(source, problems_of(error, cls)) from None
        own = settings._own_problems()
        found = own or settings._platform_problems(read)
        if found:
            raise SettingsError(source, found)
        return settings

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the settings of a `Pulumi.bootstrap-<cloud>.yaml`.

        Raises:
            SettingsError: as `Settings.load`.
        """
        settings = cls.parse(values_of(path, CONFIG_KEY), str(path))
        check_named(path, settings.place.stack, "cloud")
        return settings

    @property
    def place(self) -> Place:
        """Where the stack lives."""
        return bootstrap_place(self)

    @cached_property
    def deploys(self) -> tuple[Deploys, ...]:
        """The environments of the account, as their platform stacks' files say."""
        return tuple(_deploys(Settings.load(self._file(environment))) for environment in self.environments)

    def _file(self, environment: Environment) -> Path:
        return stack_file(f"{environment}-{self.cloud}")

    def _own_problems(self) -> list[Problem]:
        problems: list[Problem] = []
        pattern, allowed = ACCOUNT[self.cloud]
        if not pattern.match(self.account):
            problems.append(Problem("account", self.account, allowed, "Quote it, so that YAML keeps it a string."))
        if self.region not in REGIONS[self.cloud]:
            problems.append(
                Problem("region", self.region, ", ".join(sorted(REGIONS[self.cloud])), "Choose one of these.")
            )
        else:
            problems += self._copy_problems()
        if len(set(self.environments)) < len(self.environments):
            problems.append(
                Problem("environments", list(map(str, self.environments)), "each once", "Remove the repeated one.")
            )
        try:
            checked_labels(self.cloud, base_labels("bootstrap", self.place.stack, self.labels))
        except ValueError as error:
            problems.append(Problem("labels", self.labels, str(error), "Rename the label, or change its value."))
        return [*problems, *(self._aws_problems() if self.cloud is Cloud.AWS else self._gcp_problems())]

    def _copy_problems(self) -> list[Problem]:
        """What is wrong with the copy's region, once the state's own is known."""
        if self.copy_region not in REGIONS[self.cloud]:
            allowed = ", ".join(sorted(REGIONS[self.cloud]))
            return [Problem("copy_region", self.copy_region, allowed, "Choose one of these.")]
        far = distance_km(self.cloud, self.region, self.copy_region)
        if far >= COPY_DISTANCE_KM:
            return []
        allowed = (
            f"a region at least {COPY_DISTANCE_KM} km from {self.region}; {self.copy_region} is {far:.0f} km away"
        )
        return [Problem("copy_region", self.copy_region, allowed, "Choose one that a disaster there does not reach.")]

    def _aws_problems(self) -> list[Problem]:
        only_there: Mapping[str, object] = {
            "project_number": self.project_number,
            "github.repository_id": self.github.repository_id,
            "billing_account": self.billing_account,
            "no_organization": self.no_organization,
        }
        problems = [
            Problem(path, value, "nothing: only Google Cloud has it", "Remove the key.")
            for path, value in only_there.items()
            if value
        ]
        if self.generation != 1:
            allowed = "1: AWS gives up the names of what is deleted"
            problems.append(Problem("generation", self.generation, allowed, "Remove the key."))
        return problems

    def _gcp_problems(self) -> list[Problem]:
        needed: Mapping[str, tuple[str, str]] = {
            "project_number": (self.project_number, "the project's number"),
            "github.repository_id": (self.github.repository_id, "GitHub's number of the repository"),
            "billing_account": (self.billing_account, "the billing account that pays for the project"),
        }
        problems = [
            Problem(path, None, allowed, "Set it on Google Cloud.")
            for path, (value, allowed) in needed.items()
            if not value
        ]
        if self.already_there:
            shown = [str(thing) for thing in self.already_there]
            problems.append(Problem("already_there", shown, "nothing: only AWS has it", "Remove the key."))
        if len(self.environments) > 1:
            allowed = "one: a stack has a project to itself"
            remedy = "Write a bootstrap file for each project."
            problems.append(Problem("environments", [str(e) for e in self.environments], allowed, remedy))
        if self.no_organization and len(self.no_organization) < _REASON_LENGTH:
            allowed = f"a reason of at least {_REASON_LENGTH} characters"
            problems.append(Problem("no_organization", self.no_organization, allowed, "Say why."))
        return problems

    def _platform_problems(self, read: ReadSettings) -> list[Problem]:
        """What does not fit the platform stacks of the account."""
        problems: list[Problem] = []
        for index, environment in enumerate(self.environments):
            stack = f"{environment}-{self.cloud}"
            platform = read(self._file(environment))
            if platform.account != self.account:
                allowed = f"environments whose stacks live in {self.account}; {stack} lives in {platform.account}"
                remedy = f"Correct the account here or in Pulumi.{stack}.yaml, or leave the environment out."
                problems.append(Problem(f"environments.{index}", str(environment), allowed, remedy))
            elif platform.project_number != self.project_number:
                allowed = f"{platform.project_number}, as in Pulumi.{stack}.yaml"
                problems.append(Problem("project_number", self.project_number, allowed, "Correct one of the two."))
            if platform.region == self.region:
                allowed = f"a region other than {self.region}, the primary of {stack}"
                remedy = f"Choose another, as {platform.backup.region}, where its backups are."
                problems.append(Problem("region", self.region, allowed, remedy))
        return problems


def _deploys(platform: Settings) -> Deploys:
    return Deploys(
        environment=platform.environment,
        region=platform.region,
        backup_region=platform.backup.region,
        feature_store=str(platform.feature_store.kind),
    )


def bootstrap_policies(platform: Settings) -> Mapping[str, str]:
    """The account's own policies that a platform stack on AWS names and a bootstrap stack made: name → document."""
    if platform.cloud is not Cloud.AWS:
        return {}
    # Imported here: it takes the cloud's SDK with it.
    from components.aws.bootstrap.rights import boundary_document

    deploys = _deploys(platform)
    place = replace(platform.place, environment="bootstrap")
    return {boundary_name(deploys.environment): boundary_document(place, deploys)}
