// Package definitions keeps the modules whose definitions of custom resources the local control plane serves.
// Nothing of them is built.
package definitions
