"""Changes of cluster objects that harm nobody, which no rule may find."""

from __future__ import annotations

from typing import Final

from tests.policies.mutations.changes import Mutation

HARMLESS: Final[tuple[Mutation, ...]] = ()
