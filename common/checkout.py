"""What this checkout is, and who works in it: for evidence and for what releases were published from."""

from __future__ import annotations

import getpass
import subprocess

from common.paths import repo_root


def commit() -> str:
    """The checkout's commit, with `+changes` if the working tree differs; empty outside git."""
    try:
        head, status = (
            subprocess.run(["git", *a], cwd=repo_root(), capture_output=True, text=True, check=True).stdout.strip()
            for a in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{head}+changes" if status else head


def operator() -> str:
    """Who runs the command, as this machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
