"""The policy pack that `pulumi preview --policy-pack policies/pack` runs: Seawall's rules inside the engine."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from pulumi_policy import PolicyPack

from policies.engine import PACK_NAME, VERDICTS_FILE_VARIABLE, Pack, keep_secrets_marked

keep_secrets_marked()
verdicts_file = os.environ.get(VERDICTS_FILE_VARIABLE)
PolicyPack(PACK_NAME, Pack(date.today, Path(verdicts_file) if verdicts_file else None).policies())
