"""Asks a server for predictions and for its metrics."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import requests

from localcloud.triton.server import TritonServer

SAMPLE = (10.0, 20.0, 80.0, 500.0, 0.1, 0.1, 0.1, 0.05, 0.2, 0.06)
"""Measurements that are possible."""


def infer(server: TritonServer, entity: str, measurements: Sequence[float] = SAMPLE) -> requests.Response:
    """The answer to a request of one row."""
    return infer_rows(server, [entity], [measurements])


def infer_rows(
    server: TritonServer, entities: Sequence[str], rows: Sequence[Sequence[float]], **more: Any
) -> requests.Response:
    """The answer to a request; `more` stands beside its inputs, such as its id."""
    inputs = [
        {"name": "entity_id", "datatype": "BYTES", "shape": [len(entities), 1], "data": list(entities)},
        {
            "name": "measurements",
            "datatype": "FP32",
            "shape": [len(rows), len(rows[0])],
            "data": [value for row in rows for value in row],
        },
    ]
    url = f"{server.http_url}/v2/models/tumour_risk/infer"
    return requests.post(url, json={"inputs": inputs, **more}, timeout=10)


def outputs(answer: requests.Response) -> dict[str, list[Any]]:
    """An answer's outputs by name."""
    return {output["name"]: output["data"] for output in answer.json()["outputs"]}


def lookups(server: TritonServer) -> dict[str, float]:
    return metric(server, "seawall_feature_lookups_total", "outcome")


def metric(server: TritonServer, name: str, label: str) -> dict[str, float]:
    """A metric of the server's page, summed for each value of a label."""
    sums: dict[str, float] = {}
    page = requests.get(server.metrics_url, timeout=5).text
    for value, number in re.findall(rf'^{name}{{.*?\b{label}="([^"]*)".*}} (\S+)$', page, re.MULTILINE):
        sums[value] = sums.get(value, 0.0) + float(number)
    return sums
