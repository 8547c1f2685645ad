"""What a Helm chart takes, read from its own files: a value under a name that it does not know, Helm passes over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

_READ: Final = re.compile(r"\.Values\.([A-Za-z][\w.]*\w)")
_WHOLE: Final = (
    re.compile(r"toYaml \(?\.Values\.([\w.]+)"),
    re.compile(r"\.Values\.([\w.]+) *\| *toYaml"),
    re.compile(r"(?:with|range) +\.Values\.([\w.]+) *-?}}"),
    re.compile(r"tuple +\.Values\.([\w.]+)"),
    re.compile(r":= *\.Values\.([\w.]+) *-?}}"),
)
"""How templates hand a value on with all that is in it."""


@dataclass(frozen=True)
class TakenValues:
    """What a chart takes."""

    defaults: Mapping[str, Any]
    """Its values.yaml, with those of its own subcharts."""
    read: tuple[str, ...] | list[str]
    """The paths that its templates read."""
    whole: tuple[str, ...] | list[str]
    """Those that they hand on, whatever is in them."""
    schema: Mapping[str, Any] | None
    """By which Helm itself refuses values, where the chart has one."""


def read_taken(chart: Path) -> TakenValues:
    """Read the files of an unpacked chart, and of the subcharts that lie in it.

    Raises:
        OSError: there is none.
    """
    found = [path for path in (chart / "values.yaml", chart / "values.tmpl.yaml") if path.exists()]
    defaults: dict[str, Any] = YAML(typ="safe").load(found[0].read_text(encoding="utf-8")) if found else {}
    text = "\n".join(p.read_text(encoding="utf-8") for p in sorted((chart / "templates").rglob("*")) if p.is_file())
    read = set(_READ.findall(text))
    whole = {path for pattern in _WHOLE for path in pattern.findall(text)}
    for sub in sorted(path.parent for path in (chart / "charts").glob("*/Chart.yaml")):
        inner = read_taken(sub)
        defaults[sub.name] = {**inner.defaults, **(defaults.get(sub.name) or {})}
        read |= {f"{sub.name}.{path}" for path in inner.read}
        whole |= {f"{sub.name}.{path}" for path in inner.whole}
    schema = chart / "values.schema.json"
    told = json.loads(schema.read_text(encoding="utf-8")) if schema.exists() else None
    return TakenValues(defaults, sorted(read), sorted(whole), told)


def passed_over(values: Mapping[str, Any], taken: TakenValues) -> list[str]:
    """What of the values changes nothing, by its path: names that the chart does not know, and maps without anything
    in them, which Helm lays over the chart's own and so leaves that as it is; and what its schema refuses."""
    from jsonschema import Draft7Validator  # imported here: it takes a tenth of a second

    refused = Draft7Validator(taken.schema).iter_errors(values) if taken.schema is not None else ()
    return sorted(
        {
            *_passed_over(values, taken.defaults, taken, ()),
            *(f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in refused),
        }
    )


def _passed_over(
    values: Mapping[str, Any], defaults: Mapping[str, Any], taken: TakenValues, above: tuple[str, ...]
) -> Iterator[str]:
    for key, value in values.items():
        path = (*above, key)
        name, own = ".".join(path), defaults.get(key)
        if value == {} and own:
            yield f"{name}: an empty map leaves the chart's own"
        elif key not in defaults and not any(each == name or each.startswith(f"{name}.") for each in taken.read):
            yield f"{name}: the chart knows no such value"
        elif isinstance(value, Mapping) and name not in taken.whole:
            yield from _passed_over(value, own if isinstance(own, Mapping) else {}, taken, path)
