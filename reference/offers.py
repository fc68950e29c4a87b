"""Which region sells which machine type, and its zones: made from moto's copy of ``DescribeInstanceTypeOfferings``."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

_HEAD = '''"""Which regions sell which machine types, and the regions' zones. Made by ``make docs``: do not edit.

A type or region that is not here is not known to be missing: it is not refused. Zone names are an account's own: which
machine types one zone has differs from account to account and is not kept.
"""

from __future__ import annotations

OFFERS_SOURCE = "{source}"

# Types, and the regions that sell all of them.
_OFFERS: tuple[tuple[str, str], ...] = (
{offers}
)
_ZONES = {{
{zones}
}}
_REGIONS = {{name: tuple(regions.split()) for names, regions in _OFFERS for name in names.split()}}


def regions_with(instance_type: str) -> tuple[str, ...] | None:
    """The regions that sell the type; ``None`` is unknown."""
    return _REGIONS.get(instance_type)


def is_sold_in(region: str, instance_type: str) -> bool:
    """Whether the region may sell the type: what is unknown of either refuses nothing."""
    regions = _REGIONS.get(instance_type)
    return regions is None or region not in _ZONES or region in regions


def zones_of(region: str) -> tuple[str, ...] | None:
    """The region's zones; ``None`` is unknown."""
    letters = _ZONES.get(region)
    return None if letters is None else tuple(f"{{region}}{{letter}}" for letter in letters)
'''


def render(names: tuple[str, ...]) -> str:
    """The module with the offers of the types ``names``."""
    sold: dict[str, list[str]] = defaultdict(list)
    zones: dict[str, set[str]] = defaultdict(set)
    for region, offers in _read("region"):
        for offer in offers:
            if offer["InstanceType"] in names:
                sold[offer["InstanceType"]].append(region)
    for region, offers in _read("availability-zone"):
        zones[region].update(offer["Location"].removeprefix(region) for offer in offers)
    same: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in names:
        if name in sold:
            same[tuple(sold[name])].append(name)
    return _HEAD.format(
        source=f"EC2 DescribeInstanceTypeOfferings, the copy in moto {_version()}",
        offers="\n".join(_entry(types, regions) for regions, types in same.items()),
        zones="\n".join(f'    "{region}": "{"".join(sorted(letters))}",' for region, letters in sorted(zones.items())),
    )


def _entry(types: list[str], regions: tuple[str, ...]) -> str:
    lines = ["    ("]
    for words in (types, list(regions)):
        lines += _wrapped(words)
    return "\n".join([*lines, "    ),"])


def _wrapped(words: list[str]) -> list[str]:
    """One string over lines of at most 120 characters, in ruff's format."""
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) + 1 > 109:
            lines.append(line + " ")
            line = ""
        line = f"{line} {word}" if line else word
    lines.append(line)
    return [f'        "{text}"' + ("," if index == len(lines) - 1 else "") for index, text in enumerate(lines)]


def _read(kind: str) -> list[tuple[str, list[dict[str, Any]]]]:
    folder = files("moto.ec2") / "resources" / "instance_type_offerings" / kind
    found: list[Traversable] = sorted(folder.iterdir(), key=lambda file: file.name)
    return [(file.name.partition(".")[0], json.loads(gzip.decompress(file.read_bytes()))) for file in found]


def _version() -> str:
    from importlib.metadata import version

    return version("moto")
