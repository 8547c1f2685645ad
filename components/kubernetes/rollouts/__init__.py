"""How a new release of a service takes over: the routes of rolling and blue/green, and what Flagger is given.

Who owns what of a canary service, so that the second preview and the refresh find nothing:

| object | who makes it | who changes it |
|---|---|---|
| Deployment `<service>` | the stack, without `replicas` | Flagger sets `replicas`: 0 between rollouts |
| HorizontalPodAutoscaler `<service>` | the stack | nobody; it pauses while its Deployment has 0 replicas |
| Canary `<service>`, MetricTemplates, BackendTrafficPolicy `<service>` | the stack | Flagger writes `status` alone |
| GRPCRoute `<service>` | the stack, to `<service>-primary` | nobody |
| Deployment, autoscaler `<service>-primary` | Flagger | Flagger; the autoscaler sets `replicas` |
| Services `<service>`, `<service>-primary`, `<service>-canary`; HTTPRoute `<service>` | Flagger | Flagger |

The engine applies on the server's side: a field that it never set is not its own, so what Flagger and the autoscaler
write beside it is no difference, and nothing has to be ignored. What Flagger makes has the Canary as its owner, and
goes with it.
"""
