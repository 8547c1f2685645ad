"""Measures how many hours of a load `seawall capacity` simulates in a second."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from ops.bench.model import Result, Sample, Series, Target

STACK: Final = "prod-aws"
HOURS_A_SECOND: Final = Target("at least", 4, "h/s")


def measure_simulation(repeats: int) -> list[Result]:
    """A flash crowd at a production service, after one run that warms up."""
    from ops.capacity.forecast import FLASH_CROWD, forecast, judged
    from ops.capacity.service import service_of
    from ops.plan.planner import plan_stack  # imports the SDKs
    from stacks.settings import Settings, stack_file

    service = service_of(plan_stack(STACK), Settings.load(stack_file(STACK)), None)
    told = forecast(service, FLASH_CROWD)
    samples: list[Sample] = []
    for _ in range(repeats):
        began = time.perf_counter()
        judged(replace(told))
        samples.append(Sample(time.perf_counter() - began))
    series = Series(
        f"seawall capacity {STACK}: {told.profile.seconds / 60:.0f} minutes of a flash crowd", tuple(samples)
    )
    hours = told.profile.seconds / 3600 / series.median_s
    what = f"simulated hours of {service.scaler.least} to {service.scaler.most} replicas in a second"
    return [Result("simulated load", what, hours, HOURS_A_SECOND, (series,))]
