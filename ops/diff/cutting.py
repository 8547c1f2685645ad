"""A report as blocks, and how it is cut to a comment's length: at lines, never inside a fold or a fence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final


class Rank(IntEnum):
    """What goes last when a report is too long; the lowest goes first."""

    PICTURE = 0
    DETAILS = 1
    STEPS = 2
    FIGURES = 3
    CAUSES = 4
    MUST = 5
    """What is at risk, verdicts, gates: what a reviewer decides on."""


@dataclass(frozen=True)
class Block:
    """Lines that belong together."""

    lines: tuple[str, ...]
    rank: Rank
    summary: str = ""
    """Of a fold; empty: it is shown open."""
    fence: str = ""
    """The language of a fenced block, which is shown whole or not at all."""
    cut: int = 0
    """How many of its lines are left out."""

    @property
    def text(self) -> str:
        """The block as Markdown, its fold and fence closed."""
        kept = list(self.lines[: len(self.lines) - self.cut])
        if not kept:
            return ""
        if self.cut:
            kept += ["", f"… {self.cut} more lines"]
        if self.fence:
            kept = [f"```{self.fence}", *kept, "```"]
        if self.summary:
            kept = [f"<details><summary>{self.summary}</summary>", "", *kept, "", "</details>"]
        return "\n".join(kept) + "\n"


def joined(blocks: Sequence[Block], limit: int, where: str) -> str:
    """The blocks as one text of at most `limit` bytes, and so of no more characters.

    Lines go from the blocks of the lowest rank first, and there from the last block. What is left out is counted at
    the end of its block, and once more at the end of the text, with `where` to read it.
    """
    text = _text(blocks)
    total, kept = size(text), list(blocks)
    if total <= limit:
        return text
    room = limit - size(_end(total, total, where)) - 2
    over = total - room
    for rank in Rank:
        for place in range(len(kept) - 1, -1, -1):
            if over <= 0:
                break
            if kept[place].rank is rank:
                before = size(kept[place].text) + 1
                kept[place] = _shorter(kept[place], over)
                over -= before - (size(kept[place].text) + 1)
    # The notes on what is left out take room themselves: then whole blocks go.
    while size(_text(kept)) > room and any(block.text for block in kept):
        last = min((block.rank, -place) for place, block in enumerate(kept) if block.text)
        kept[-last[1]] = replace(kept[-last[1]], cut=len(kept[-last[1]].lines))
    cut = sum(block.cut for block in kept)
    return _text(kept).rstrip("\n") + "\n" + _end(cut, total, where)


def size(text: str) -> int:
    """The bytes of a text."""
    return len(text.encode("utf-8", "surrogatepass"))


def _shorter(block: Block, over: int) -> Block:
    """The block without as many of its last lines as are needed to save `over` bytes, or without any."""
    if block.fence:
        return replace(block, cut=len(block.lines))
    saved, cut = 0, 0
    note: Final = 30
    while cut < len(block.lines) and saved < over + note:
        cut += 1
        saved += size(block.lines[-cut]) + 1
    return replace(block, cut=cut)


def _text(blocks: Sequence[Block]) -> str:
    return "\n".join(block.text for block in blocks if block.text)


def _end(lines: int, total: int, where: str) -> str:
    return f"\n**Cut here:** {lines} more lines ({total} bytes in all). {where}\n"
