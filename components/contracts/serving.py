"""What the serving container and everything around it agree on: names, ports and environment variables.

`serving_image` ships alone and repeats the variables' names; a test holds the two together.
"""

from __future__ import annotations

from typing import Final

NAMESPACE: Final = "serving"
SERVICE_ACCOUNT: Final = "triton"
APP: Final = "triton"
"""`app.kubernetes.io/name` of every serving pod."""
SERVICE_LABEL: Final = "app.kubernetes.io/instance"
"""Which service a pod or object is of."""
VARIANT_LABEL: Final = "seawall.dev/variant"
"""Which of the service's variants."""

HTTP_PORT: Final = 8000
GRPC_PORT: Final = 8001
METRICS_PORT: Final = 8002

PENDING_REQUESTS_METRIC: Final = "nv_inference_pending_request_count"
"""Triton's own gauge of requests that wait: the autoscaler's measure of a queue."""
BUSY_REQUESTS_METRIC: Final = "seawall_busy_requests"
"""Requests that a replica works on, on average: what the adapter makes of Triton's counters of busy time."""
BUSY_COUNTERS: Final = (
    "nv_inference_compute_input_duration_us",
    "nv_inference_compute_infer_duration_us",
    "nv_inference_compute_output_duration_us",
)
"""Triton's counters of the time that requests spend in a model, in microseconds, each request of a batch by itself
(Triton's docs/user_guide/metrics.md; seen on 2.51)."""
QUEUE_COUNTER: Final = "nv_inference_queue_duration_us"
"""Triton's counter of the time that requests wait for a model. An ensemble's stays 0: its requests wait at its steps,
while its busy time repeats theirs (seen on 2.51, 2026-11-21)."""

GPU_TAINT_KEY: Final = "nvidia.com/gpu"
CPU_TAINT_KEY: Final = "seawall.dev/serving"
"""On machines without GPUs that serve: nothing else moves in and takes what replicas were counted on."""
GPU_RESOURCE: Final = "nvidia.com/gpu"
ACCELERATOR_LABEL: Final = "seawall.dev/accelerator"
POOL_LABEL: Final = "seawall.dev/pool"
COMPUTE_CLASS_LABEL: Final = "cloud.google.com/compute-class"
"""GKE's own: binds a node pool to a compute class, and what a pod asks for one by."""

FEATURES_KIND: Final = "SEAWALL_FEATURES_KIND"
FEATURES_TABLE: Final = "SEAWALL_FEATURES_TABLE"
FEATURES_REGION: Final = "SEAWALL_FEATURES_REGION"
FEATURES_PROJECT: Final = "SEAWALL_FEATURES_PROJECT"
FEATURES_INSTANCE: Final = "SEAWALL_FEATURES_INSTANCE"
FEATURES_DATABASE: Final = "SEAWALL_FEATURES_DATABASE"
FEATURES_HOST: Final = "SEAWALL_FEATURES_HOST"
FEATURES_PORT: Final = "SEAWALL_FEATURES_PORT"
FEATURES_GROUP: Final = "SEAWALL_FEATURES_GROUP"
FEATURES_USER: Final = "SEAWALL_FEATURES_USER"
FEATURES_CA_FILE: Final = "SEAWALL_FEATURES_CA_FILE"
FEATURES_AUTH_FILE: Final = "SEAWALL_FEATURES_AUTH_FILE"
FEATURES_TIMEOUT_MS: Final = "SEAWALL_FEATURES_TIMEOUT_MS"
FEATURES_TTL_HOURS: Final = "SEAWALL_FEATURES_TTL_HOURS"
FEATURES_STALE_HOURS: Final = "SEAWALL_FEATURES_STALE_HOURS"
DYNAMODB_ENDPOINT: Final = "AWS_ENDPOINT_URL_DYNAMODB"
"""The AWS SDK's own: where it finds the table."""

ROW_KEY_PREFIX: Final = "features:"
"""What a row's key begins with in stores that speak Redis' protocol."""
SELF_CHECK_ENTITY: Final = "seawall-self-check"
"""Whom a server asks itself about before it is ready: the lookup answers without a read, so it has no row."""
