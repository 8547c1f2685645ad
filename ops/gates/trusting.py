"""Whose approvals count: the allowed signers of the commit that a change starts from, if they still are.

A change adds nobody who may approve it, and whoever it removes approves nothing more.
"""

from __future__ import annotations

from pathlib import Path

from common.attestation.trust import Trust, TrustedSigner, parse_allowed, trust_from
from common.paths import repo_root
from ops.gates.guards import SIGNERS_FILE, file_at


def trust_at(base: str, head: str | None, allowed_signers: Path | None, root: Path | None = None) -> Trust | None:
    """Whom to trust; None where nobody is.

    Args:
        base: the commit that the change starts from.
        head: the commit that it ends in; None for the working tree.
        allowed_signers: a file that whoever runs the command vouches for, instead of the repository's.

    Raises:
        UserError: a file of allowed signers cannot be read.
    """
    if allowed_signers is not None:
        return trust_from((), allowed_signers)
    folder = root or repo_root()
    before = _parsed(file_at(base, SIGNERS_FILE, folder), f"{SIGNERS_FILE} at {base[:12]}")
    now = _parsed(_text_now(head, folder), SIGNERS_FILE)
    kept = {(signer.who, signer.signs_with) for signer in now}
    both = tuple(signer for signer in before if (signer.who, signer.signs_with) in kept)
    return Trust(both) if both else None


def _text_now(head: str | None, root: Path) -> str | None:
    if head is not None:
        return file_at(head, SIGNERS_FILE, root)
    path = root / SIGNERS_FILE
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def _parsed(text: str | None, where: str) -> tuple[TrustedSigner, ...]:
    return parse_allowed(text.splitlines(), where) if text is not None else ()
