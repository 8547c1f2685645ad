//go:build tools

// Package tools keeps KWOK, which plays nodes and pods, among this module's requirements. Kubernetes' newer libraries
// do not compile with it, so it has a module of its own.
package tools

import (
	_ "sigs.k8s.io/kwok/cmd/kwok"
)
