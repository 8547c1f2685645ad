"""Where the clouds' regions lie, and how far apart two of them are.

Coordinates are those of the metropolitan area that each provider names for the region, in degrees; good to some
tens of kilometres, which is enough to tell a far region from a near one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from components.contracts.vocabulary import Cloud

EARTH_RADIUS_KM: Final = 6371.0

_AWS: Mapping[str, tuple[float, float]] = {
    "af-south-1": (-33.92, 18.42),
    "ap-east-1": (22.32, 114.17),
    "ap-northeast-1": (35.68, 139.69),
    "ap-northeast-2": (37.57, 126.98),
    "ap-northeast-3": (34.69, 135.50),
    "ap-south-1": (19.08, 72.88),
    "ap-south-2": (17.39, 78.49),
    "ap-southeast-1": (1.35, 103.82),
    "ap-southeast-2": (-33.87, 151.21),
    "ap-southeast-3": (-6.21, 106.85),
    "ap-southeast-4": (-37.81, 144.96),
    "ca-central-1": (45.50, -73.57),
    "ca-west-1": (51.05, -114.07),
    "eu-central-1": (50.11, 8.68),
    "eu-central-2": (47.37, 8.54),
    "eu-north-1": (59.33, 18.07),
    "eu-south-1": (45.46, 9.19),
    "eu-south-2": (41.65, -0.88),
    "eu-west-1": (53.35, -6.26),
    "eu-west-2": (51.51, -0.13),
    "eu-west-3": (48.86, 2.35),
    "il-central-1": (32.09, 34.78),
    "me-central-1": (24.45, 54.38),
    "me-south-1": (26.07, 50.55),
    "sa-east-1": (-23.55, -46.63),
    "us-east-1": (38.95, -77.45),
    "us-east-2": (39.96, -83.00),
    "us-west-1": (37.35, -121.96),
    "us-west-2": (45.87, -119.69),
}

_GCP: Mapping[str, tuple[float, float]] = {
    "africa-south1": (-26.20, 28.05),
    "asia-east1": (24.05, 120.52),
    "asia-east2": (22.32, 114.17),
    "asia-northeast1": (35.68, 139.69),
    "asia-northeast2": (34.69, 135.50),
    "asia-northeast3": (37.57, 126.98),
    "asia-south1": (19.08, 72.88),
    "asia-south2": (28.61, 77.21),
    "asia-southeast1": (1.35, 103.82),
    "asia-southeast2": (-6.21, 106.85),
    "australia-southeast1": (-33.87, 151.21),
    "australia-southeast2": (-37.81, 144.96),
    "europe-central2": (52.23, 21.01),
    "europe-north1": (60.57, 27.19),
    "europe-southwest1": (40.42, -3.70),
    "europe-west1": (50.45, 3.82),
    "europe-west2": (51.51, -0.13),
    "europe-west3": (50.11, 8.68),
    "europe-west4": (53.44, 6.84),
    "europe-west6": (47.37, 8.54),
    "europe-west8": (45.46, 9.19),
    "europe-west9": (48.86, 2.35),
    "europe-west10": (52.52, 13.40),
    "europe-west12": (45.07, 7.69),
    "me-central1": (25.29, 51.53),
    "me-west1": (32.09, 34.78),
    "northamerica-northeast1": (45.50, -73.57),
    "northamerica-northeast2": (43.65, -79.38),
    "southamerica-east1": (-23.55, -46.63),
    "southamerica-west1": (-33.45, -70.67),
    "us-central1": (41.26, -95.86),
    "us-east1": (33.20, -80.01),
    "us-east4": (39.03, -77.47),
    "us-east5": (39.96, -83.00),
    "us-south1": (32.78, -96.80),
    "us-west1": (45.60, -121.18),
    "us-west2": (34.05, -118.24),
    "us-west3": (40.76, -111.89),
    "us-west4": (36.17, -115.14),
}

REGIONS: Final[Mapping[Cloud, Mapping[str, tuple[float, float]]]] = {Cloud.AWS: _AWS, Cloud.GCP: _GCP}
"""Region → (latitude, longitude) in degrees."""

MULTI_REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "us": ("us-",),
    "eu": ("europe-",),
    "asia": ("asia-",),
    "nam4": ("us-central1", "us-east1"),
    "eur4": ("europe-north1", "europe-west4"),
    "eur5": ("europe-west1", "europe-west2"),
    "eur7": ("europe-west2", "europe-west3"),
    "eur8": ("europe-west3", "europe-west6"),
    "asia1": ("asia-northeast1", "asia-northeast2"),
}
"""Google Cloud's multi-regions and predefined dual-regions → prefixes of the regions that they span."""


def multi_region_contains(multi_region: str, region: str) -> bool:
    """Whether Google's `multi_region` (any case) may keep data in `region`; False for a name that is not one."""
    return any(region.startswith(prefix) for prefix in MULTI_REGIONS.get(multi_region.lower(), ()))


def distance_km(cloud: Cloud, a: str, b: str) -> float:
    """Great-circle distance between two regions of one cloud, in kilometres.

    Raises:
        KeyError: a region is not in the table.
    """
    (lat_a, lon_a), (lat_b, lon_b) = REGIONS[cloud][a], REGIONS[cloud][b]
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    half_lat, half_lon = (phi_b - phi_a) / 2, math.radians(lon_b - lon_a) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))
