"""Addresses of the project's own documents, as far as anybody told where the repository lies."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from typing import Final

from common.paths import repo_root

_SCP_STYLE: Final = re.compile(r"(?:[^@/\s]+@)?([\w.-]+\.[\w-]+):([\w.-]+(?:/[\w.-]+)+)/?")
_ADDRESS: Final = re.compile(
    r"(?:https?|ssh|git)://(?:[^@/\s]*@)?([\w.-]+\.[\w-]+)(?::\d+)?/([\w.-]+(?:/[\w.-]+)+)/?"
)
NOWHERE: Final = "urn:seawall"
"""Names a document where nobody knows its address: a URI that leads nowhere, and is one."""


def repository(environment: Mapping[str, str] = os.environ) -> str:
    """The repository's page: what a workflow is told, else git's remote without credentials; `NOWHERE` at last."""
    server, name = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
    if server.startswith("https://") and name:
        return f"{server.rstrip('/')}/{name}"
    return page_of(_remote()) or NOWHERE


def document(page: str, path: str, anchor: str = "") -> str:
    """A file of the repository at `page`, and a heading in it."""
    address = f"{page}:{path}" if page == NOWHERE else f"{page}/blob/HEAD/{path}"
    return f"{address}#{anchor}" if anchor else address


def page_of(remote: str) -> str:
    """The page of a git remote, by https and without user or password; empty where it is no server's."""
    found = _ADDRESS.fullmatch(remote) or _SCP_STYLE.fullmatch(remote)
    return f"https://{found.group(1)}/{found.group(2).removesuffix('.git')}" if found else ""


def _remote() -> str:
    command = ["git", "config", "--get", "remote.origin.url"]
    try:
        told = subprocess.run(command, cwd=repo_root(), capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()
