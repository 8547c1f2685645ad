"""Waits beside a drill in an account, and removes what it restored if the drill is killed.

python -m ops.drill.keeper DRILL_ID     # its first line is the stack's outputs; the word `done` ends it

It ends with the drill's own clean-up. A machine that dies takes both along: the next drill of the stack, or
`seawall drill STACK --target cloud --clean-up`, removes what is left then.
"""

from __future__ import annotations

import signal
import sys
import time

DONE = "done"
ATTEMPTS = 5
PAUSE_S = 30.0


def main() -> int:
    """Wait, and clean up if nobody says that it is done; the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    told, *rest = sys.stdin.read().splitlines() or [""]
    if DONE in rest or not told:
        return 0
    # Imported when it is needed: what waits for hours should be small.
    from ops.drill.account import opened

    for attempt in range(ATTEMPTS):
        try:
            opened(told).clean_up(sys.argv[1])
            return 0
        except Exception as error:
            print(f"{sys.argv[1]} is not cleaned up: {error}", file=sys.stderr, flush=True)
            if attempt + 1 < ATTEMPTS:
                time.sleep(PAUSE_S)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
