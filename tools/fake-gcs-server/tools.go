//go:build tools

// Package tools keeps the Cloud Storage emulator among this module's requirements.
package tools

import (
	_ "github.com/fsouza/fake-gcs-server"
)
