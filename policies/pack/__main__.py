"""The policy pack that `pulumi preview --policy-pack policies/pack` runs: Seawall's rules inside the engine."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from pulumi_policy import PolicyPack

from policies.engine import Pack
from policies.pack_library import observe
from policies.pack_names import PACK_NAME, REPORT_FILE_VARIABLE

report_file = os.environ.get(REPORT_FILE_VARIABLE)
pack = Pack(date.today, Path(report_file) if report_file else None)
observe(pack)
PolicyPack(PACK_NAME, pack.policies())
