"""Where Seawall keeps things: the checkout, the cache that outlives it, local stacks and reports."""

from __future__ import annotations

import os
from pathlib import Path

from common.errors import UserError


def repo_root() -> Path:
    """The checkout that holds this code."""
    return Path(__file__).resolve().parent.parent


def cache_dir() -> Path:
    """Heavy builds, keyed by version, shared by all checkouts: `$SEAWALL_CACHE`, else the XDG cache folder."""
    explicit = os.environ.get("SEAWALL_CACHE")
    if explicit:
        return Path(explicit).expanduser().resolve()
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else home_dir() / ".cache") / "seawall"


def home_dir() -> Path:
    """The user's own folder.

    Raises:
        UserError: there is none.
    """
    try:
        return Path.home()
    except RuntimeError:
        raise UserError("this user has no home folder", "HOME", "Set HOME, or SEAWALL_CACHE, to a folder.") from None


def local_dir() -> Path:
    """State of the stacks on the local cloud: `$SEAWALL_LOCAL`, else `.seawall/local` in the checkout."""
    explicit = os.environ.get("SEAWALL_LOCAL")
    return Path(explicit).expanduser().resolve() if explicit else repo_root() / ".seawall" / "local"


def out_dir() -> Path:
    """Reports and evidence: `$SEAWALL_OUT`, else `out` in the checkout."""
    explicit = os.environ.get("SEAWALL_OUT")
    return Path(explicit).expanduser().resolve() if explicit else repo_root() / "out"
