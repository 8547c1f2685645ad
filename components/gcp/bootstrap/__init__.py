"""What prepares a Google Cloud project, as `components.contracts.bootstrap.BootstrapModule` asks for it."""

from components.gcp.bootstrap.account import account
from components.gcp.bootstrap.budget import budget
from components.gcp.bootstrap.federation import federation
from components.gcp.bootstrap.roles import deployer, driller, planner
from components.gcp.bootstrap.state import state
from components.gcp.provider import provider

__all__ = ["account", "budget", "deployer", "driller", "federation", "planner", "provider", "state"]
