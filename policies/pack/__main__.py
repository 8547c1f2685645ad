"""The policy pack that `pulumi preview --policy-pack policies/pack` runs: Seawall's rules inside the engine."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from pulumi_policy import PolicyPack

from policies.engine import Pack
from policies.pack_library import adapt_library
from policies.pack_names import PACK_NAME, VERDICTS_FILE_VARIABLE

verdicts_file = os.environ.get(VERDICTS_FILE_VARIABLE)
pack = Pack(date.today, Path(verdicts_file) if verdicts_file else None)
adapt_library(pack.configure)
PolicyPack(PACK_NAME, pack.policies())
