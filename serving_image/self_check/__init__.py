"""Asks a server on this machine for the answers that its release says it must give.

The probes of the serving pod run it, and so can a person:

    python -m self_check --repository /var/lib/seawall/release/repository --port 8000

A model that has `1/self_check.json` is asked what stands there, and every answer is compared. Triton's own readiness
says that models are loaded, and its warm-up that they run; that they answer rightly, only this says. It needs no
feature store: the entity that it names has the training means in each. Standard library alone.

Why Triton's own health is not enough: a Python model whose process died stays dead, every request fails with 500,
and `/v2/health/ready` says 200 (seen on 2.51, 2026-11-22). With `--alive` it judges whether a restart would help: a
server that is only busy is alive.
"""
