"""Whether a key lets the emulated AWS services do their work."""

from __future__ import annotations

from dataclasses import dataclass

from localcloud.decisions import Decision


@dataclass(frozen=True)
class KeyView:
    """What a decision needs of a KMS key; `state` is empty if there is no such key."""

    arn: str
    state: str


def can_use(key: KeyView) -> Decision:
    """Whether a key can encrypt and decrypt."""
    if not key.arn:
        return Decision(True, "it is AWS's own key")
    if not key.state:
        return Decision(False, f"{key.arn} does not exist")
    if key.state != "Enabled":
        return Decision(False, f"{key.arn} is {key.state}")
    return Decision(True, f"{key.arn} is enabled")
