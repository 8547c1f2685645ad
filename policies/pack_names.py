"""What the policy pack and those who run it agree on; apart from `policies.engine`, which imports Pulumi."""

from __future__ import annotations

from typing import Final

PACK_NAME: Final = "seawall"

VERDICTS_FILE_VARIABLE: Final = "SEAWALL_VERDICTS_FILE"
"""Environment variable that names a file for the verdict, as JSON."""
