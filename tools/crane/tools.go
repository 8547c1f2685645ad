//go:build tools

// Package tools keeps crane, which copies container images, among this module's requirements.
package tools

import (
	_ "github.com/google/go-containerregistry/cmd/crane"
)
