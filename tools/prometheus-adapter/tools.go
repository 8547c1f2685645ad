//go:build tools

// Package tools keeps prometheus-adapter, which serves metrics to autoscalers, among this module's requirements.
package tools

import (
	_ "sigs.k8s.io/prometheus-adapter/cmd/adapter"
)
