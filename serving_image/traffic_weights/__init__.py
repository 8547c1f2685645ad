"""Moves the weights of one service's routes to the variant that earns the most: a multi-armed bandit's controller.

    python3 -m traffic_weights --settings JSON

It reads counters of rewards from Prometheus, draws weights by Thompson sampling, and writes them, with the reason,
on the HTTPRoute and the GRPCRoute of the service. Needs only the standard library. It keeps nothing: the evidence
lies in Prometheus, the weights and their last changes on the route, so that a restart forgets nothing, and a
controller that is gone leaves the weights as they are.
"""

VERSION = "1"
