"""Which regions are lost: nothing that lives in one of them answers until it is restored.

A dual-region or multi-region bucket is not in the lost region alone, and goes on answering.
"""

from __future__ import annotations

import re
from typing import Final

from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError

_LOST: Final = "local/lost-regions"
_LOCATION: Final = re.compile(r"(?:^|/)projects/[^/]+/locations/(?P<location>[^/:]+)")


class Regions:
    """The regions of the emulated cloud; all of them answer unless they were lost."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def lose(self, region: str) -> None:
        """From now on nothing in `region` answers."""
        self._store.put(_LOST, region.lower(), {})

    def restore(self, region: str) -> None:
        """It answers again, with what it held."""
        self._store.delete(_LOST, region.lower())

    def is_lost(self, location: str) -> bool:
        """Whether nothing answers there; locations of buckets are in upper case, which does not matter."""
        return self._store.get(_LOST, location.lower()) is not None

    def require(self, location: str) -> None:
        """Raise ApiError (503) if the location is lost."""
        if self.is_lost(location):
            raise ApiError(503, f"The region {location.lower()} does not answer.", reason="backendError")

    def require_of(self, name: str) -> None:
        """Raise ApiError (503) if the location that a resource's name, or a request's path, holds is lost."""
        found = _LOCATION.search(name)
        if found is not None:
            self.require(found["location"])

    def is_lost_of(self, name: str) -> bool:
        """Whether the location in a resource's name is lost."""
        found = _LOCATION.search(name)
        return found is not None and self.is_lost(found["location"])
