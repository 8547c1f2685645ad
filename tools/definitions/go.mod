module seawall/tools/definitions

go 1.25.0

require (
	github.com/cert-manager/cert-manager v1.21.2
	github.com/envoyproxy/gateway v1.9.1
	github.com/fluxcd/flagger v1.36.1
)
