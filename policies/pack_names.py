"""What the policy pack and those who run it agree on; apart from `policies.engine`, which imports Pulumi."""

from __future__ import annotations

from typing import Final

PACK_NAME: Final = "seawall"

REPORT_FILE_VARIABLE: Final = "SEAWALL_POLICY_REPORT"
"""Environment variable that names a file for what the engine showed and how it was judged: `{"inventory": …,
"verdict": …}`, as `seawall plan --json` and `seawall check --json` print them."""
