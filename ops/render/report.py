"""What a rendering tells: how many objects, what they lack, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from ops.render.folder import RECORD
from ops.render.manifests import MARK, Rendering
from ops.render.validation import Validation


def text(
    rendering: Rendering, found: Validation, out: Path, differing: Sequence[str], *, checked: bool = False
) -> str:
    """The lines that `seawall render` prints."""
    did = "compared with" if checked else "not written to" if found.faults else "written to"
    judged = len(rendering.objects) - len(found.unjudged)
    lines = [
        f"{rendering.stack}: {len(rendering.objects)} objects {did} {out}",
        f"  {judged} held to the schemas of Kubernetes {rendering.kubernetes}: {len(found.faults)} faults",
    ]
    lines += [f"    {fault.object}: {fault.said}" for fault in found.faults]
    lines += [f"  not validated, since no definition of its kind is here: {name}" for name in found.unjudged]
    if rendering.charts:
        lines.append("  installed by Helm before the rest, with what these files say:")
        lines += [f"    {path}: {chart['chart']}" for path, chart in rendering.charts.items()]
    if rendering.unknown:
        lines.append(f"  {len(rendering.unknown)} values are known when the stack is deployed, and stand as {MARK}:")
        for name, gaps in groupby(rendering.unknown, key=lambda gap: gap.object):
            lines.append(f"    {name}: {', '.join(gap.path for gap in gaps)}")
        lines.append("    Take them from the deployed stack with --from local or --from cloud.")
    if rendering.withheld:
        lines.append("  not written, since secret; put them into the cluster by a secret store of yours:")
        lines += [f"    {each.object}: {each.path}" for each in rendering.withheld]
    lines += [f"  {line}" for line in differing]
    if not checked and not found.faults:
        lines.append(f"  {RECORD} lists the files with their digests, and what they lack")
    return "\n".join(lines)
