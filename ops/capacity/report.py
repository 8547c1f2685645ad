"""A forecast as text and as a picture."""

from __future__ import annotations

import math
from typing import Final

from common.panels import BLUE, BROWN, GREEN, GREY, RED, Line, Panel, draw
from ops.capacity.forecast import NOT_SIMULATED, Forecast

_ROWS: Final = 24


def text(told: Forecast, advice: str = "") -> str:
    """Settings, the course in so many rows, the verdict, and what was left out."""
    service, result = told.service, told.result
    hosting, scaler = service.hosting, service.scaler
    assumed = " (assumed: measure it, and say it by --request-ms)" if told.assumed else ""
    lines = [
        f"{service.stack}, {service.name}: {told.trace}, {duration(told.profile.seconds)}",
        f"  replicas  {scaler.least} to {scaler.most}, {hosting.warm} warm; each works on "
        f"{service.requests_at_once} requests at once, and should be {service.busy_percent} % busy",
        f"  request   {1000 * told.server.service_seconds:g} ms in the model{assumed}; a replica serves "
        f"{told.server.rps:g} a second at most",
        f"  machines  {hosting.least} to {hosting.most} with {hosting.per_machine} "
        f"{'replica' if hosting.per_machine == 1 else 'replicas'} each; machine {hosting.machine_seconds:g} s, image "
        f"{hosting.image_seconds:g} s, release {hosting.fetch_seconds} s, server {hosting.load_seconds:g} s",
        "",
        "      time   req/s  wanted  ready  machines  waiting    p99",
    ]
    step = max(1, math.ceil(len(result.moments) / _ROWS))
    for first in range(0, len(result.moments), step):
        inside = result.moments[first : first + step]
        at, last = inside[0].at, inside[-1]
        lines.append(
            f"  {clock(at):>8} {last.rps:7.1f} {last.wanted:7} {last.ready:6} {last.nodes:9} "
            f"{max(m.pending for m in inside):8.0f} {milliseconds(max(m.p99_seconds for m in inside)):>9}"
        )
    verdict = "kept" if told.met else "missed"
    lines += [
        "  (of each while the most that waited and the slowest p99; the rest at its end)",
        "",
        f"  objective {verdict}: p99 over the whole trace: {milliseconds(told.p99_ms / 1000)}; "
        f"{service.objective_ms} ms are promised",
        f"  {100 * told.part_within:.2f} % of {result.latencies.requests:,.0f} requests within it; the longest while "
        f"beyond it {duration(told.late_seconds)}",
    ]
    if result.latencies.unserved:
        part = 100 * result.latencies.unserved / result.latencies.requests
        lines.append(
            f"  {result.latencies.unserved:,.0f} requests ({part:.2f} %) unanswered: the door gives one up after "
            f"{service.patience.seconds:g} s, and lets {service.patience.in_flight:,.0f} wait or be served at once"
        )
    if result.unplaced_seconds:
        lines.append(f"  no machine had room for a replica for {duration(result.unplaced_seconds)}")
    if advice:
        lines.append(f"  remedy: {advice}")
    return "\n".join([*lines, "  not simulated", *(f"    {what}" for what in NOT_SIMULATED)])


def picture(told: Forecast) -> str:
    """An SVG: replicas and machines, waiting requests, latency beside the objective, and the load."""
    moments, service = told.result.moments, told.service
    objective = service.objective_ms / 1000
    replicas = (
        Line("wanted by the autoscaler", [m.wanted for m in moments], BROWN),
        Line("ready", [m.ready for m in moments], BLUE),
        Line("machines", [m.nodes for m in moments], GREY, dashed=True),
    )
    latency = (
        Line("p99", [max(m.p99_seconds, 1e-3) for m in moments], RED),
        Line("objective", [objective] * len(moments), GREY, dashed=True),
    )
    verdict = "kept" if told.met else "missed"
    return draw(
        f"{service.stack}, {service.name}: {told.trace}, simulated; objective of {service.objective_ms} ms {verdict}",
        f"{service.stack}: replicas, machines, waiting requests and latency of {service.name} under {told.trace}",
        [m.at for m in moments],
        (
            Panel("replicas and machines", replicas),
            Panel("requests that wait", (Line("waiting", [m.pending for m in moments], RED),)),
            Panel("seconds for a request", latency, logarithmic=True),
            Panel("requests a second", (Line("load", [m.rps for m in moments], GREEN),)),
        ),
        told.phases(),
    )


def clock(seconds: float) -> str:
    """Hours and minutes since the beginning."""
    return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02}:{int(seconds % 60):02}"


def duration(seconds: float) -> str:
    """In the units that one would say."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def milliseconds(seconds: float) -> str:
    """In milliseconds, from ten seconds on in seconds; what never came as such."""
    if not math.isfinite(seconds):
        return "no answer"
    return f"{1000 * seconds:.0f} ms" if seconds < 10 else f"{seconds:.0f} s"
