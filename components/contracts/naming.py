"""Physical names: deterministic, known before anything exists, and within the clouds' length limits."""

from __future__ import annotations

import hashlib
from typing import Final

PRODUCT: Final = "seawall"
BUCKET_NAME_MAX: Final = 63
"""The limit of both S3 and Cloud Storage bucket names without dots."""


def physical_name(*parts: str, max_length: int) -> str:
    """Join `parts` with hyphens; a name too long ends in a hash of the whole, so that it stays unique."""
    whole = "-".join(part for part in parts if part)
    if len(whole) <= max_length:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{whole[: max_length - 9].rstrip('-')}-{digest}"
