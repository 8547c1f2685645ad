"""The only place that picks AWS or Google Cloud."""

from __future__ import annotations

from components import aws, gcp
from components.contracts.ports import CloudModule
from components.contracts.vocabulary import Cloud


def pick(cloud: Cloud) -> CloudModule:
    """The module that implements every port on `cloud`."""
    modules: dict[Cloud, CloudModule] = {Cloud.AWS: aws, Cloud.GCP: gcp}
    return modules[cloud]
