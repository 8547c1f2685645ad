"""Time, compressed: what waits in the stack's own objects waits that much less in a rehearsal, everything alike.

So a load of hours is over in minutes, while the order of things and the ratios between them stay: a measure's window
beside the autoscaler's, a machine's start beside both. The objects are put back before the rehearsal ends.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_WINDOW: Final = re.compile(r"\[(\d+)s\]")
_SECONDS_FLAG: Final = re.compile(r"^(--[a-z-]+=)(\d+)s$")


@dataclass(frozen=True)
class Tempo:
    """By how much time is compressed."""

    factor: float = 1.0

    def shorter(self, seconds: float) -> float:
        """What is left of `seconds`."""
        return seconds / self.factor

    def whole(self, seconds: float, least: int) -> int:
        """The same where only whole seconds are accepted."""
        return max(least, round(seconds / self.factor))

    def behavior(self, behavior: Mapping[str, Any]) -> dict[str, Any]:
        """An autoscaler's windows and periods; the API server accepts periods of one second and longer."""
        changed = copy.deepcopy(dict(behavior))
        for rules in changed.values():
            if rules.get("stabilizationWindowSeconds"):
                rules["stabilizationWindowSeconds"] = self.whole(rules["stabilizationWindowSeconds"], 1)
            for policy in rules.get("policies") or ():
                policy["periodSeconds"] = self.whole(policy["periodSeconds"], 1)
        return changed

    def scrape_config(self, text: str, proxy: str) -> str:
        """Prometheus' configuration, with shorter intervals, and pods reached by way of `proxy`."""
        config = json.loads(text)
        seconds = float(config["global"]["scrape_interval"].removesuffix("s"))
        config["global"]["scrape_interval"] = f"{round(1000 * self.shorter(seconds))}ms"
        config["global"]["scrape_timeout"] = config["global"]["scrape_interval"]
        for job in config["scrape_configs"]:
            job["proxy_url"] = proxy
        return json.dumps(config, indent=1)

    def adapter_config(self, text: str) -> str:
        """The adapter's rules with shorter windows."""
        config = json.loads(text)
        for rule in config["rules"]:
            rule["metricsQuery"] = _WINDOW.sub(self._window, rule["metricsQuery"])
        return json.dumps(config, indent=1)

    def flag(self, argument: str) -> str:
        """A flag of so many seconds, with fewer; any other as it is."""
        found = _SECONDS_FLAG.match(argument)
        return f"{found[1]}{round(1000 * self.shorter(float(found[2])))}ms" if found else argument

    def _window(self, found: re.Match[str]) -> str:
        return f"[{round(1000 * self.shorter(float(found[1])))}ms]"
