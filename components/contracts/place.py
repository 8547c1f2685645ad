"""Where a stack lives and what its things are called: the context that every component is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from components.contracts.labels import base_labels, checked_labels
from components.contracts.naming import BUCKET_NAME_MAX, PRODUCT, physical_name
from components.contracts.vocabulary import BOOTSTRAP, Cloud, Environment, OptOut


@dataclass(frozen=True)
class Place:
    """One stack's place: cloud, account, regions, labels, and how careful to be with its data."""

    cloud: Cloud
    environment: Environment | Literal["bootstrap"]
    account: str
    """AWS: the account's 12 digits. Google Cloud: the project's id."""
    region: str
    backup_region: str
    zones: tuple[str, ...]
    project_number: str = ""
    """Google Cloud's project number, which names its service agents; empty on AWS."""
    extra_labels: Mapping[str, str] = field(default_factory=dict)
    opt_outs: Mapping[OptOut, str] = field(default_factory=dict)
    """Safe defaults given up → the reason."""
    generation: int = 1
    """How many stacks of this name were made here; names that Google Cloud does not give up at once hold it."""

    @property
    def stack(self) -> str:
        """The stack's name: `<environment>-<cloud>`."""
        return f"{self.environment}-{self.cloud}"

    @property
    def labels(self) -> dict[str, str]:
        """Labels for every resource, checked for this cloud."""
        return checked_labels(self.cloud, base_labels(self.environment, self.stack, self.extra_labels))

    @property
    def protected(self) -> bool:
        """Whether stateful resources resist deletion (yes, unless opted out with a reason)."""
        return OptOut.DELETION_PROTECTION not in self.opt_outs

    @property
    def retained(self) -> bool:
        """Whether stateful resources outlive their removal from the program: in production, always."""
        return self.environment in (Environment.PROD, BOOTSTRAP)

    @property
    def locks_logs(self) -> bool:
        """Whether nobody may shorten what logs are kept for: in production and of an account's own state, always.

        A lock cannot be taken back, and what it holds is in the way of a teardown until its time is over: stacks that
        come and go have the logs and their retention, and no lock that outlives them.
        """
        return self.environment in (Environment.PROD, BOOTSTRAP)

    def name(self, purpose: str, *, max_length: int = 63) -> str:
        """A physical name that is unique within the account: `seawall-dev-<purpose>`."""
        return physical_name(PRODUCT, self.environment, purpose, max_length=max_length)

    def again(self, name: str) -> str:
        """`name`, and from the second generation on its number: for names that stay taken after a deletion."""
        return name if self.generation == 1 else f"{name}-{self.generation}"

    def bucket_name(self, purpose: str, region: str) -> str:
        """A physical name that is unique in the world: buckets share one namespace."""
        return physical_name(PRODUCT, self.environment, purpose, self.account, region, max_length=BUCKET_NAME_MAX)
