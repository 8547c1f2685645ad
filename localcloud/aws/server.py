"""The AWS emulator's process: serves on a loopback port that the system picks, and prints it.

python -m localcloud.aws.server [STATE_FILE]
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType

ENV_ACCOUNT = "MOTO_ACCOUNT_ID"
"""Read by moto when it is imported, so it is set before the process starts."""

ENV_BOOTSTRAPPED = "SEAWALL_LOCAL_BOOTSTRAPPED"
"""Set where the account begins with what a bootstrap stack makes in one."""

ENV_OPERATOR = "SEAWALL_LOCAL_OPERATOR"
"""The role by which the account knows the operator; empty where it knows none."""

ENV_POLICIES = "SEAWALL_LOCAL_POLICIES"
"""Policies that a bootstrapped account begins with, as JSON: name → document."""

ENV_TOKEN = "SEAWALL_CONTROL_TOKEN"  # noqa: S105 - a variable's name


def main() -> int:
    """Serve until SIGTERM; exit code 3 if the state file cannot be read."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    # Imported here: moto reads the account from the environment when it is imported.
    from localcloud.aws.gateway import Gateway
    from localcloud.aws.iam.linked import name_roles_as_iam, prepare
    from localcloud.aws.state import AwsState
    from localcloud.aws.wsgi import loopback_server

    state = AwsState(os.environ[ENV_ACCOUNT])
    if len(sys.argv) > 1:
        try:
            state.load(Path(sys.argv[1]))
        except ValueError as e:
            sys.stderr.write(f"{e}\n")
            return 3

    name_roles_as_iam()
    if os.environ.get(ENV_BOOTSTRAPPED):
        prepare(state, json.loads(os.environ.get(ENV_POLICIES) or "{}"))

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = loopback_server(Gateway(state, os.environ[ENV_TOKEN], os.environ.get(ENV_OPERATOR, "")))
    sys.stdout.write(f"listening on {server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
