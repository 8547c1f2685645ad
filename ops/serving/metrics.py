"""Reads a Triton server's metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import requests

from common.errors import UserError

TIMEOUT_S = 5.0
PENDING_REQUESTS = "nv_inference_pending_request_count"
FEATURE_LOOKUPS = "seawall_feature_lookups_total"

_SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Sample:
    """One line of a metrics page."""

    name: str
    labels: Mapping[str, str]
    value: float


def parse(page: str) -> list[Sample]:
    """The samples of a page in Prometheus' text format; lines of another form are passed over."""
    found = (_SAMPLE.match(line) for line in page.splitlines())
    return [
        Sample(match["name"], dict(_LABEL.findall(match["labels"] or "")), float(match["value"]))
        for match in found
        if match and _is_number(match["value"])
    ]


def read(url: str) -> list[Sample]:
    """The samples that `url` shows now.

    Raises:
        UserError: it does not answer.
    """
    try:
        answer = requests.get(url, timeout=TIMEOUT_S)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise UserError(
            f"the metrics cannot be read: {type(error).__name__}", url, "check that the server is up"
        ) from error
    return parse(answer.text)


def by_label(samples: list[Sample], name: str, label: str) -> dict[str, float]:
    """The metric `name`, summed for each value of `label`: e.g. pending requests for each model."""
    sums: dict[str, float] = {}
    for sample in samples:
        if sample.name == name and label in sample.labels:
            sums[sample.labels[label]] = sums.get(sample.labels[label], 0.0) + sample.value
    return sums


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
