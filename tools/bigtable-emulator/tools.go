//go:build tools

// Package tools keeps the Bigtable emulator among this module's requirements.
package tools

import (
	_ "cloud.google.com/go/bigtable/cmd/emulator"
)
