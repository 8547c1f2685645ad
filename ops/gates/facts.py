"""Gathers what gates look at of one stack's change: its diff, its waivers, and what judges."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from common.errors import UserError
from common.paths import repo_root
from ops.diff.model import StackDiff
from ops.gates.guards import file_at, guards_changed
from ops.gates.reading import Change
from policies import waivers
from policies.waivers import Waiver, WaiversFileError

WAIVERS_FILE: Final = "policies/waivers.yaml"


def change_of(diff: StackDiff, base: str, head: str | None, secrets: Mapping[str, str] | None = None) -> Change:
    """All that gates look at.

    Args:
        diff: what is done, be it between two plans or by the engine.
        base: the commit that the change starts from.
        head: the commit that it ends in; None for the working tree.
        secrets: URN → a digest of the secret inputs that change.

    Raises:
        UserError: git, or a file of waivers, cannot be read.
    """
    return Change(diff, waivers_changed(diff.stack, base, head), guards_changed(base, head), secrets or {})


def waivers_changed(stack: str, base: str, head: str | None, root: Path | None = None) -> tuple[Waiver, ...]:
    """The waivers of a stack that `base` does not have in the same words."""
    folder = root or repo_root()
    before = _waivers(file_at(base, WAIVERS_FILE, folder))
    if head is not None:
        now = file_at(head, WAIVERS_FILE, folder)
    else:
        here = folder / WAIVERS_FILE
        now = here.read_text(encoding="utf-8") if here.is_file() else None
    known = {_words(waiver) for waiver in before}
    return tuple(w for w in _waivers(now) if w.stack == stack and _words(w) not in known)


def _words(waiver: Waiver) -> tuple[str, ...]:
    said = (waiver.rule, waiver.stack, waiver.urn, waiver.type, waiver.name, waiver.reason, waiver.owner)
    return (*said, waiver.expires.isoformat())


def _waivers(text: str | None) -> tuple[Waiver, ...]:
    if text is None:
        return ()
    with tempfile.TemporaryDirectory(prefix="seawall-waivers-") as folder:
        path = Path(folder) / "waivers.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            return waivers.load(path)
        except WaiversFileError as error:
            raise UserError(error.what, WAIVERS_FILE, error.remedy) from None
