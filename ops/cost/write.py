"""Writes `machine_prices` from two public price lists: `python -m ops.cost.write --aws FILE.go --gcp FILE.json`.

AWS: github.com/aws/karpenter-provider-aws, pkg/providers/pricing/zz_generated.pricing_aws.go, made from the AWS price
list API; it has us-east-1 alone. Google Cloud: github.com/cloudpilot-ai/karpenter-provider-gcp,
pkg/providers/pricing/initial-prices.json, made from the Cloud Billing catalogue.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from components.contracts.machines import MACHINES
from components.contracts.offers import zones_of
from components.contracts.regions import REGIONS
from components.contracts.vocabulary import Accelerator, Capacity, Cloud

FILE: Final = Path(__file__).with_name("machine_prices.py")
_T4_USD: Final = {
    Capacity.ON_DEMAND: {"asia-east1": 0.35, "asia-east2": 0.44, "asia-northeast1": 0.37, "asia-northeast3": 0.37,
        "asia-south1": 0.41, "asia-southeast1": 0.37, "asia-southeast2": 0.4033, "australia-southeast1": 0.44,
        "europe-central2": 0.41, "europe-west1": 0.35, "europe-west2": 0.399, "europe-west3": 0.41,
        "europe-west4": 0.3675, "me-west1": 0.385, "northamerica-northeast1": 0.38538, "southamerica-east1": 0.48,
        "us-central1": 0.35, "us-east1": 0.35, "us-east4": 0.37, "us-west1": 0.35, "us-west2": 0.42074,
        "us-west3": 0.42074, "us-west4": 0.37},
    Capacity.SPOT: {"asia-east1": 0.1383, "asia-east2": 0.2004, "asia-northeast1": 0.1311, "asia-northeast3": 0.1539,
        "asia-south1": 0.1701, "asia-southeast1": 0.1645, "asia-southeast2": 0.1854, "australia-southeast1": 0.1746,
        "europe-central2": 0.164, "europe-west1": 0.14, "europe-west2": 0.1181, "europe-west3": 0.164,
        "europe-west4": 0.175, "me-west1": 0.1093, "northamerica-northeast1": 0.1868, "southamerica-east1": 0.2329,
        "us-central1": 0.175, "us-east1": 0.175, "us-east4": 0.1644, "us-west1": 0.175, "us-west2": 0.164,
        "us-west3": 0.1195, "us-west4": 0.1258},
}  # fmt: skip
"""USD an hour of one T4, which N1's price is without (skypilot-catalog, catalogs/v8/gcp/vms.csv at 006059e)."""

Prices = dict[str, dict[str, float]]
"""Machine type → region → USD an hour."""


def aws(text: str) -> Prices:
    """On-demand prices of the catalogue's machines, from Karpenter's Go file."""
    found: Prices = {}
    for region, block in re.findall(r'\t"([a-z0-9-]+)": \{(.*?)\n\t\}', text, re.DOTALL):
        for machine, usd in re.findall(r'"([a-z0-9.-]+)": ([\d.]+)', block):
            if machine in MACHINES[Cloud.AWS] and region in REGIONS[Cloud.AWS]:
                found.setdefault(machine, {})[region] = round(float(usd), 5)
    return found


def gcp(document: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]], way: Capacity) -> Prices:
    """Prices of the catalogue's machines, with the T4s that stand in it beside an N1."""
    found: Prices = {}
    for region, lists in document["prices"].items():
        for machine, usd in lists[way.replace("-", "_")].items():
            model = MACHINES[Cloud.GCP].get(machine)
            if model is None or not zones_of(Cloud.GCP, region):
                continue
            gpu = _T4_USD[way].get(region) if model.accelerator is Accelerator.T4 else 0.0
            if gpu is not None:
                found.setdefault(machine, {})[region] = round(usd + model.accelerators * gpu, 5)
    return found


def written(seen: str, parts: Mapping[str, Prices]) -> str:
    """The module that holds the prices: one line for each machine."""
    lines = [
        '"""USD an hour of the catalogue\'s machines, by `python -m ops.cost.write`, which names the sources."""',
        "",
        "# ruff: noqa: E501",
        "# fmt: off",
        "",
        f"SEEN = {json.dumps(seen)}",
        '"""Of which day each list is."""',
    ]
    for name, prices in parts.items():
        lines.append(f"{name}: dict[str, dict[str, float]] = {{")
        lines += [
            f"    {json.dumps(m)}: {json.dumps(dict(sorted(usd.items())))}," for m, usd in sorted(prices.items())
        ]
        lines.append("}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the module from both lists."""
    parser = argparse.ArgumentParser(prog="python -m ops.cost.write", description=__doc__)
    parser.add_argument("--aws", type=Path, required=True, help="Karpenter's zz_generated.pricing_aws.go")
    parser.add_argument("--gcp", type=Path, required=True, help="Karpenter's initial-prices.json")
    parser.add_argument("--seen", required=True, help="of which day each list is")
    asked = parser.parse_args()
    google = json.loads(asked.gcp.read_text(encoding="utf-8"))
    parts = {
        "AWS_ON_DEMAND": aws(asked.aws.read_text(encoding="utf-8")),
        "GCP_ON_DEMAND": gcp(google, Capacity.ON_DEMAND),
        "GCP_SPOT": gcp(google, Capacity.SPOT),
    }
    FILE.write_text(written(asked.seen, parts), encoding="utf-8")


if __name__ == "__main__":
    main()
