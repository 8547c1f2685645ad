"""Draws a stack as an SVG: components in their regions, and what needs what."""

from ops.plan.diagram.svg import draw

__all__ = ["draw"]
