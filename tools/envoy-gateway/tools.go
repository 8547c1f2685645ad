//go:build tools

// Package tools keeps Envoy Gateway, which configures Envoy from Gateway API objects, among this module's requirements.
package tools

import (
	_ "github.com/envoyproxy/gateway/cmd/envoy-gateway"
)
