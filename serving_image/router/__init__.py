"""A contextual bandit inside Triton: a router model that picks, for each row of a request, the model that answers it.

`template` is the model `router` of a release: copy it, adjust the inputs and outputs in its `config.pbtxt` to those
of the models that it routes to, and let `train` write its policy:

    python -m serving_image.router.train --start --into RELEASE/router/1 --arm stable --arm b \\
        --feature radius=measurements:0 --feature texture=measurements:1

A stack's settings say the rest (`traffic: {strategy: contextual, …}`). The log of its decisions, joined with rewards,
trains the next policy; `estimate` says beforehand what it would have earned.
"""
