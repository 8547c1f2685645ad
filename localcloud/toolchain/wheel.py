"""Programs that a Python package carries, unpacked into the cache without an environment of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from uv import find_uv_bin

from localcloud.toolchain.cache import Workshop


def install_wheel(shop: Workshop, package: str, lock: Path) -> None:
    """Unpack `package` into the result folder of `shop`, checked against the hashes in `lock`.

    Raises:
        UserError: it cannot be fetched, or a hash differs.
    """
    shop.run(
        f"uv pip install {package}",
        [
            *(find_uv_bin(), "pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
            *("--python", sys.executable, "--target", shop.result),
            *("--requirement", lock),
        ],
        cwd=shop.scratch,
        environment=os.environ,
    )
