"""What all strategies of sharing out traffic have in common, for the rest of the platform to ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from components.contracts.scaling import ROLLOUT_SURGE
from components.contracts.spec import Spec


class Traffic(Spec):
    """What all strategies have in common, for the rest of the platform to ask."""

    takes_challengers: ClassVar[bool] = False
    """Whether the service's `challengers` get requests."""

    def extra_replicas(self, max_replicas: int) -> int:
        """Replicas that a rollout runs beside `max_replicas` at most, for which the pools need room."""
        del max_replicas
        return ROLLOUT_SURGE

    def check_service(self, variants: Sequence[str], p99_ms: int) -> None:
        """Refuse what does not fit the service: its variants, `stable` first, and its promise.

        Raises:
            PydanticCustomError: for a validator to let through.
        """
        del variants, p99_ms
