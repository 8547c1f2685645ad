"""The flash crowd that other reports show."""

from __future__ import annotations

import base64

from ops.capacity.crowd import crowd_of
from ops.plan.planner import plan_stack
from stacks.settings import Settings, stack_file


def test_a_page_gets_a_sentence_and_a_picture_of_the_stacks_service() -> None:
    crowd = crowd_of(plan_stack("dev-aws"), Settings.load(stack_file("dev-aws")))
    kind, _, drawn = crowd.picture.partition(",")
    assert kind == "data:image/svg+xml;base64" and base64.b64decode(drawn).startswith(b"<svg")
    assert "requests a second become" in crowd.said and "The objective of" in crowd.said
