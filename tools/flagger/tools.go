//go:build tools

// Package tools keeps Flagger, which shifts traffic to a release and back, among this module's requirements.
package tools

import (
	_ "github.com/fluxcd/flagger/cmd/flagger"
)
