"""Definitions of custom resources, taken from the very Go modules of those who act on them: by version and checksum.

What a chart installs on a cluster, the local control plane is given from here. Nothing is built; a module is fetched
by Go's own client and checked against the committed go.sum.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from common.versions import CERT_MANAGER, ENVOY_GATEWAY, FLAGGER
from localcloud.toolchain import chart_values
from localcloud.toolchain.cache import Entry, Workshop, build_once
from localcloud.toolchain.chart_values import TakenValues, read_taken
from localcloud.toolchain.golang import find_go, go_environment, required_go

_MODULE: Final = repo_root() / "tools" / "definitions"
_KIND: Final = "CustomResourceDefinition"


@dataclass(frozen=True)
class Origin:
    """Where a project keeps its definitions, and the chart that brings them."""

    module: str
    version: str
    files: str
    """A glob below the module's folder."""
    chart: str
    """A folder below it."""


ORIGINS: Final[Mapping[str, Origin]] = {
    "envoy-gateway": Origin(
        "github.com/envoyproxy/gateway",
        f"v{ENVOY_GATEWAY}",
        "charts/gateway-helm/charts/crds/crds/**/*.yaml",
        "charts/gateway-helm",
    ),
    "cert-manager": Origin(
        "github.com/cert-manager/cert-manager",
        f"v{CERT_MANAGER}",
        "deploy/crds/*.yaml",
        "deploy/charts/cert-manager",
    ),
    "flagger": Origin("github.com/fluxcd/flagger", f"v{FLAGGER}", "charts/flagger/crds/*.yaml", "charts/flagger"),
}
"""By the project's name. Envoy Gateway brings the Gateway API's too, those of its experimental channel: sessions that
stay with a variant are in no other (HTTPRoute, sessionPersistence, 1.6.1)."""


def definitions(project: str, steps: Steps | None = None) -> list[dict[str, Any]]:
    """The definitions of one project, fetched once into the cache.

    Raises:
        UserError: no Go toolchain, or a module cannot be fetched, or is not what go.sum says.
    """
    folder = build_once(_entry(), _fetch, title="Fetch the definitions of custom resources", steps=steps)
    return json.loads((folder / f"{project}.json").read_text(encoding="utf-8"))


def taken_values(project: str, steps: Steps | None = None) -> TakenValues:
    """What a project's chart takes, from the cache.

    Raises:
        UserError: as for `definitions`.
    """
    folder = build_once(_entry(), _fetch, title="Fetch the definitions of custom resources", steps=steps)
    return TakenValues(**json.loads((folder / f"{project}-values.json").read_text(encoding="utf-8")))


def _entry() -> Entry:
    digest = hashlib.sha256(repr(sorted(ORIGINS.items())).encode())
    readers = (Path(__file__), Path(chart_values.__file__))  # what is kept is what they make of the modules
    for file in (_MODULE / "go.mod", _MODULE / "go.sum", *readers):
        digest.update(file.read_bytes() + b"\0")
    return Entry("definitions", digest.hexdigest()[:16])


def _fetch(shop: Workshop) -> None:
    go = find_go(required_go([_MODULE]), shop.steps)
    # In a copy: Go would write a checksum that is missing into go.sum, and ask for none.
    module = shop.scratch / "module"
    shutil.copytree(_MODULE, module)
    wanted = [f"{origin.module}@{origin.version}" for origin in ORIGINS.values()]
    environment = go_environment(shop.scratch)
    shop.run("go mod download", [go.executable, "mod", "download", *wanted], cwd=module, environment=environment)
    if (module / "go.sum").read_bytes() != (_MODULE / "go.sum").read_bytes():
        raise UserError(
            "go.sum has no checksum of a module whose definitions are fetched",
            str(_MODULE),
            "Run `go mod download MODULE@VERSION` there, and commit go.sum.",
        )
    for project, origin in ORIGINS.items():
        source = Path(environment["GOMODCACHE"]) / f"{origin.module}@{origin.version}"
        found = read_definitions(sorted(source.glob(origin.files)))
        if not found:
            raise UserError(f"{origin.module} {origin.version} has no definitions", origin.files, "Correct its glob.")
        (shop.result / f"{project}.json").write_text(json.dumps(found), encoding="utf-8")
        taken = read_taken(source / origin.chart)
        (shop.result / f"{project}-values.json").write_text(json.dumps(asdict(taken)), encoding="utf-8")


def read_definitions(files: list[Path]) -> list[dict[str, Any]]:
    """The definitions in these files, without the prose, which is most of them."""
    reader = YAML(typ="safe")
    documents = [document for file in files for document in reader.load_all(file.read_text(encoding="utf-8"))]
    return [_without_prose(document) for document in documents if document and document["kind"] == _KIND]


def _without_prose(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_prose(item)
            for key, item in value.items()
            if not (key == "description" and isinstance(item, str))
        }
    return [_without_prose(item) for item in value] if isinstance(value, list) else value
