"""What an identity must be allowed to do for each type of resource that stacks are made of, cloud by cloud.

The vocabulary of `seawall preflight`, which asks whether the caller may, and of the bootstrap stacks, which grant a
deploy role no more. It knows neither who asks nor which resources a stack has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Verb = Literal["create", "read", "update", "delete"]
VERBS: Final[tuple[Verb, ...]] = ("create", "read", "update", "delete")


@dataclass(frozen=True)
class Needs:
    """Permissions for one type of resource, by what is done with it; `create` and `update` include reading back.

    Names are the cloud's: an IAM action (`eks:CreateCluster`) or an IAM permission (`container.clusters.create`).
    """

    create: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()

    def of(self, *verbs: Verb) -> frozenset[str]:
        """The permissions for these verbs; for all of them where none is named."""
        return frozenset(name for verb in verbs or VERBS for name in getattr(self, verb))


def needed(table: Mapping[str, Needs], types: Iterable[str], *verbs: Verb) -> frozenset[str]:
    """The permissions for resources of these types.

    Raises:
        KeyError: a type that the table does not know.
    """
    return frozenset(name for token in types for name in table[token].of(*verbs))


@dataclass(frozen=True)
class Scope:
    """Resources that a permission can be limited to.

    `pattern` is an ARN with `{account}`, `{region}` and `{name}` left open; a name is what the input `named_by` of
    Pulumi's `type` holds. Without a type the pattern has no name.
    """

    pattern: str
    type: str = ""
    named_by: str = ""

    def resources(self, account: str, regions: Iterable[str], names: Iterable[str]) -> frozenset[str]:
        """The ARNs, one for each region and name; names may be patterns, as `seawall-dev-*`."""
        listed = tuple(names)
        return frozenset(
            self.pattern.format(account=account, region=region, name=name)
            for region in regions
            for name in (listed if self.type else ("",))
        )
