"""The picture of a rehearsal's load: replicas and machines, requests that wait, and the load itself, over time."""

from __future__ import annotations

from common.panels import BLUE, BROWN, GREEN, GREY, RED, Line, Panel, draw
from ops.rehearse.model import Report


def picture(report: Report) -> str:
    """An SVG of the course; of a rehearsal without one, a picture that says so."""
    course = report.course
    replicas = (
        Line("wanted by the autoscaler", [s.wanted for s in course], BROWN),
        Line("ready", [s.ready for s in course], BLUE),
        Line("GPU machines", [s.nodes for s in course], GREY, dashed=True),
    )
    return draw(
        f"{report.stack}, Kubernetes {report.kubernetes}; time compressed {report.tempo.factor:g}-fold",
        f"{report.stack}: replicas, machines and waiting requests under a simulated load",
        [s.at for s in course],
        (
            Panel("replicas and GPU machines", replicas),
            Panel("requests that wait", (Line("waiting", [s.pending for s in course], RED),)),
            Panel("requests a second", (Line("load", [s.rps for s in course], GREEN),)),
        ),
        report.phases,
    )
