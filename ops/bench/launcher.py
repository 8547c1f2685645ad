"""Runs one command and writes down what it used, as JSON: `launcher.py RESULT_FILE COMMAND…`.

A process of its own because a child's peak memory starts at that of the process which started it: this one is small.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes per unit of `ru_maxrss`."""


def main(result: str, command: list[str]) -> int:
    """Run `command`; return its exit code."""
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    used = {"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss * RSS_UNIT / 1e6}
    Path(result).write_text(json.dumps(used), encoding="utf-8")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
