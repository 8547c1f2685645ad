"""The only place that picks AWS or Google Cloud."""

from __future__ import annotations

from components.contracts.bootstrap import BootstrapModule
from components.contracts.ports import CloudModule
from components.contracts.vocabulary import Cloud


def pick(cloud: Cloud) -> CloudModule:
    """The module that implements every port on `cloud`."""
    # Imported here: a cloud's SDK takes a quarter of a second to load, and a stack needs one cloud's only.
    if cloud is Cloud.AWS:
        from components import aws

        return aws
    from components import gcp

    return gcp


def pick_bootstrap(cloud: Cloud) -> BootstrapModule:
    """The module that prepares an account of `cloud`."""
    if cloud is Cloud.AWS:
        from components.aws import bootstrap

        return bootstrap
    from components.gcp import bootstrap

    return bootstrap
