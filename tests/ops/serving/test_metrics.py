"""Reading a metrics page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from ops.serving import metrics

PAGE = """# HELP nv_inference_pending_request_count Instantaneous number of pending requests
# TYPE nv_inference_pending_request_count gauge
nv_inference_pending_request_count{model="classifier",version="1"} 3
nv_inference_pending_request_count{model="classifier",version="2"} 1
nv_inference_pending_request_count{model="preprocess",version="1"} 0
nv_cpu_utilization 0.25
"""


def test_pending_requests_are_summed_by_model() -> None:
    found = metrics.by_label(metrics.parse(PAGE), metrics.PENDING_REQUESTS, "model")
    assert found == {"classifier": 4, "preprocess": 0}


def test_a_metric_without_labels_is_read() -> None:
    assert metrics.Sample("nv_cpu_utilization", {}, 0.25) in metrics.parse(PAGE)


@given(st.text())
def test_no_page_makes_reading_fail(page: str) -> None:
    metrics.parse(page)


def test_a_server_that_does_not_answer_is_a_plain_error() -> None:
    with pytest.raises(UserError, match="cannot be read"):
        metrics.read("http://127.0.0.1:9/metrics")  # the discard port: nothing listens there
