"""Builds or finds what the tests of the real control plane and gateway run, one after the other and with progress.

Usage: `python -m localcloud.toolchain`, which `make test` does, so that no test worker waits for a build unseen.
"""

from __future__ import annotations

import sys

from common.console import Steps
from common.errors import EXIT_COULD_NOT_RUN, UserError
from common.versions import KUBERNETES
from localcloud.toolchain.adapter import ensure_prometheus_adapter
from localcloud.toolchain.envoy import ensure_envoy, ensure_envoy_gateway
from localcloud.toolchain.flagger import ensure_flagger
from localcloud.toolchain.kubernetes import ensure_control_plane, ensure_kwok
from localcloud.toolchain.prometheus import ensure_prometheus


def main() -> int:
    """Make them all ready."""
    steps = Steps()
    try:
        for minor in KUBERNETES:
            ensure_control_plane(minor, steps)
        ensure_kwok(steps)
        ensure_prometheus_adapter(steps)
        ensure_flagger(steps)
        ensure_prometheus(steps)
        ensure_envoy(steps)
        ensure_envoy_gateway(steps)
    except UserError as error:
        steps.note(f"{error.what} ({error.where}). {error.remedy}")
        return EXIT_COULD_NOT_RUN
    return 0


if __name__ == "__main__":
    sys.exit(main())
