"""Finds, downloads or builds the Pulumi engine, and says how to run it apart from the user's own."""

from __future__ import annotations

from localcloud.engine.environment import engine_environment
from localcloud.engine.find import ensure_engine, find_engine
from localcloud.engine.model import Attempt, Engine, Origin

__all__ = ["Attempt", "Engine", "Origin", "engine_environment", "ensure_engine", "find_engine"]
