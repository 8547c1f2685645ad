"""All rules. Each module of this package is one `family`, and is found by being here: nothing lists it again."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from policies.family import Family
from policies.model import Rule

FAMILIES: Final[tuple[Family, ...]] = tuple(
    import_module(f"{__name__}.{name}").family for name in sorted(module.name for module in iter_modules(__path__))
)

RULES: Final[tuple[Rule, ...]] = tuple(
    sorted((rule for family in FAMILIES for rule in family.rules), key=lambda rule: rule.id)
)
"""By id, so that reports list them in one order, wherever a rule is written."""
