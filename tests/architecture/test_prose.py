"""What users read is in one voice: remedies are sentences that say what to do, and words are plain."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("common", "components", "localcloud", "ops", "policies", "serving_image", "stacks")
ODD = re.compile(r"\b(mend|mends|mended|laid to rest|buries|buried)\b", re.IGNORECASE)
"""Words that a reader has to think about."""


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def remedies(path: Path) -> Iterator[tuple[int, str]]:
    """Every remedy that the file writes out: the third argument of a UserError, or one named `remedy`.

    What a formatted text puts in stands as `…`; a remedy that is computed elsewhere is left to its own place.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        is_error = isinstance(node.func, ast.Name) and node.func.id == "UserError"
        found = [argument.value for argument in node.keywords if argument.arg == "remedy"]
        found += node.args[2:3] if is_error else []
        for value in found:
            text = literal(value)
            if text is not None:
                yield value.lineno, text


def literal(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = literal(node.left), literal(node.right)
        return None if left is None or right is None else left + right
    return None


def is_sentence(text: str) -> bool:
    """Whether it begins with a capital letter and ends with a full stop; a part that is put in may be a sentence."""
    written = text.rstrip("… ")
    return (text[:1].isupper() or text[:1] in "`…") and (not written or written.endswith("."))


def test_remedies_are_sentences() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sources()
        for line, text in remedies(path)
        if not is_sentence(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_there_are_remedies_to_judge() -> None:
    assert sum(1 for path in sources() for _ in remedies(path)) > 100


@pytest.mark.parametrize("text", ["run it again.", "Run it again", "fix the file"])
def test_another_voice_is_seen(text: str) -> None:
    assert not is_sentence(text)


def test_words_are_plain() -> None:
    texts = [*sources(), ROOT / "README.md", ROOT / "Makefile", *sorted((ROOT / "docs").glob("*.md"))]
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ODD.search(line)
    ]
    assert not wrong, "\n".join(wrong)
