"""The fleet's door on the cluster: its controllers, and the objects that they make a data plane of."""

from components.kubernetes.gateway.controllers import Controllers
from components.kubernetes.gateway.door import Door

__all__ = ["Controllers", "Door"]
