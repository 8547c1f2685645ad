"""The policy pack as an engine on this machine can run it, whatever environment Seawall itself runs in."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

from common.paths import repo_root

PACK: Final = repo_root() / "policies" / "pack"
_MANIFEST: Final = "PulumiPolicy.yaml"


def prepare_pack(folder: Path) -> Path:
    """A copy of the policy pack below `folder` that names the running environment, for `--policy-pack`.

    The committed pack names `.venv` in its own checkout. The copy works from anywhere, and the engine, which may
    write into a pack's folder, leaves the checkout alone.

    Returns:
        The copied pack's folder, absolute.
    """
    target = folder.absolute() / "policy-pack"
    target.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    manifest = yaml.load((PACK / _MANIFEST).read_text(encoding="utf-8"))
    manifest["runtime"]["options"]["virtualenv"] = sys.prefix
    partial = target / f".{_MANIFEST}.{os.getpid()}"
    with partial.open("w", encoding="utf-8") as file:
        yaml.dump(manifest, file)
    partial.replace(target / _MANIFEST)
    shutil.copyfile(PACK / "__main__.py", target / "__main__.py")
    return target
