//go:build tools

// Package tools keeps the programs of a control plane among this module's requirements.
// Kubernetes replaces its staging modules by folders of its own repository, which a module that requires it does not
// have: go.mod names each of them by its own version.
package tools

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
)
