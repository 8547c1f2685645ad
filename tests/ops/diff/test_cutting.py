"""A report that is too long is cut at lines, outside of folds and fences, and what a reviewer decides on stays."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ops.diff.cutting import Block, Rank, joined

LINES = st.lists(st.text("ab <é", min_size=1, max_size=60), min_size=1, max_size=40).map(tuple)
BLOCKS = st.lists(
    st.builds(
        Block,
        LINES,
        st.sampled_from(Rank),
        summary=st.sampled_from(["", "more"]),
        fence=st.sampled_from(["", "mermaid"]),
    ),
    max_size=12,
)


def is_closed(text: str) -> bool:
    """Whether every fold and fence that the report opens is closed."""
    lines = text.splitlines()
    folds = sum(line.startswith("<details>") for line in lines) == lines.count("</details>")
    return folds and lines.count("```mermaid") == lines.count("```")


@given(BLOCKS, st.integers(300, 3000))
def test_a_report_keeps_its_limit_and_closes_what_it_opens(blocks: list[Block], limit: int) -> None:
    fitting = [block for block in blocks if not block.fence or block.summary]
    text = joined(fitting, limit, "Read on.")
    assert len(text) <= limit
    if sum(len("\n".join(b.lines)) for b in fitting if b.rank is Rank.MUST) < limit / 2:
        assert is_closed(text)


@given(st.integers(1, 2000), st.integers(1, 40))
def test_what_must_be_read_stays_when_noise_is_cut(noise: int, musts: int) -> None:
    must = tuple(f"must {number}" for number in range(musts))
    blocks = [
        Block(must, Rank.MUST),
        Block(tuple("detail " * 9 for _ in range(noise)), Rank.DETAILS, summary="details"),
        Block(("flowchart LR",), Rank.PICTURE, summary="picture", fence="mermaid"),
        Block(("gates",), Rank.MUST),
    ]
    text = joined(blocks, 4000, "Read on.")
    assert all(line in text.splitlines() for line in (*must, "gates"))
    assert is_closed(text)


def test_the_picture_goes_first_and_whole() -> None:
    blocks = [
        Block(("a" * 50,), Rank.CAUSES),
        Block(tuple("b" * 50 for _ in range(20)), Rank.PICTURE, summary="picture", fence="mermaid"),
    ]
    text = joined(blocks, 400, "Read on.")
    assert "a" * 50 in text and "bbb" not in text and "**Cut here:** 20 more lines" in text


def test_a_cut_fold_says_how_much_it_lacks() -> None:
    blocks = [Block(tuple(f"line {n}" for n in range(100)), Rank.DETAILS, summary="all")]
    text = joined(blocks, 600, "Read on.")
    kept = len(re.findall(r"^line \d+$", text, re.MULTILINE))
    assert 0 < kept < 100 and f"… {100 - kept} more lines" in text and text.count("</details>") == 1
