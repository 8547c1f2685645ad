"""Records what two variants of a model answer to the same requests, for an offline comparison.

    python3 -m answer_recorder --variant stable=http://HOST:8000 --variant b=http://HOST:8000

The door copies a share of a service's HTTP requests here and drops the answer, so that nothing here harms a client.
Each request is asked again at every variant, and each answer is one JSON line on standard output: `id`, `variant`,
status, milliseconds and outputs. Inputs are never written. Both variants are asked by the same program at the same
time, so that their latencies can be compared. Needs only the standard library.
"""
