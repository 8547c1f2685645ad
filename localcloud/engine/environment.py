"""The environment variables that keep a run of the engine apart from the user's own Pulumi."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from localcloud.engine.model import Engine

LOCAL_PASSPHRASE = "seawall-local"  # noqa: S105 - stacks of the local cloud hold no secret worth more than this
"""What encrypts secrets in the state of a stack on the local cloud."""


def backend_url(backend: Path) -> str:
    """The address of a file backend in `backend`; quoted, as `#`, `?` and `%` mean something in an address."""
    return f"file://{quote(str(backend.expanduser().absolute()))}"


def engine_environment(engine: Engine, home: Path, backend: Path) -> dict[str, str]:
    """Variables to lay over the process's own, so that the engine runs without the user's login, plugins or settings.

    Args:
        home: takes the place of `~/.pulumi`.
        backend: the folder of the file backend; it must exist when the engine runs.

    A stack is named with `--stack`: PULUMI_STACK is left as it is, since an empty one counts as a choice.
    """
    home = home.expanduser().absolute()
    return {
        "PATH": os.pathsep.join([str(engine.bin_dir), os.environ.get("PATH", os.defpath)]),
        "PULUMI_HOME": str(home),
        "PULUMI_CREDENTIALS_PATH": str(home),
        "PULUMI_BACKEND_URL": backend_url(backend),
        "PULUMI_CONFIG_PASSPHRASE": LOCAL_PASSPHRASE,
        # Empty is as good as unset to the engine, and cannot be inherited from the user.
        "PULUMI_CONFIG_PASSPHRASE_FILE": "",
        "PULUMI_ACCESS_TOKEN": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
    }
