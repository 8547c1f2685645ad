"""What prepares an AWS account, as `components.contracts.bootstrap.BootstrapModule` asks for it."""

from components.aws.bootstrap.account import account
from components.aws.bootstrap.budget import budget
from components.aws.bootstrap.federation import federation
from components.aws.bootstrap.roles import deployer, driller, planner
from components.aws.bootstrap.state import state
from components.aws.provider import provider

__all__ = ["account", "budget", "deployer", "driller", "federation", "planner", "provider", "state"]
