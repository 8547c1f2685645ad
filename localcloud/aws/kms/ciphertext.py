"""What a ciphertext of the emulated KMS tells."""

from __future__ import annotations

import base64
from typing import Final

_KEY_ID_BYTES: Final = 36


def key_of(ciphertext: object) -> str | None:
    """The key that made a ciphertext: moto writes its id in front."""
    if not isinstance(ciphertext, str):
        return None
    try:
        return base64.b64decode(ciphertext)[:_KEY_ID_BYTES].decode("ascii")
    except (ValueError, UnicodeDecodeError):
        return None
