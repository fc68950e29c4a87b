"""Which regions sell which machine types, and the regions' zones. Made by ``make docs``: do not edit.

A type or region that is not here is not known to be missing: it is not refused. Zone names are an account's own: which
machine types one zone has differs from account to account and is not kept.
"""

from __future__ import annotations

OFFERS_SOURCE = "EC2 DescribeInstanceTypeOfferings, the copy in moto 5.2.5"

# Types, and the regions that sell all of them.
_OFFERS: tuple[tuple[str, str], ...] = (
    (
        "m7i.large m7i.xlarge m7i.2xlarge m7i.4xlarge m7i.8xlarge m7i.12xlarge m7i.16xlarge m7i.24xlarge m7i.48xlarge",
        "af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 "
        "ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ca-central-1 eu-central-1 eu-central-2 eu-north-1 "
        "eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 sa-east-1 us-east-1 us-east-2 "
        "us-west-1 us-west-2",
    ),
    (
        "c7i.large c7i.xlarge c7i.2xlarge c7i.4xlarge c7i.8xlarge c7i.12xlarge c7i.16xlarge c7i.24xlarge c7i.48xlarge",
        "af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 "
        "ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ca-central-1 ca-west-1 eu-central-1 eu-central-2 "
        "eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 sa-east-1 us-east-1 "
        "us-east-2 us-west-1 us-west-2",
    ),
    (
        "r7i.large r7i.xlarge r7i.2xlarge r7i.4xlarge r7i.8xlarge r7i.12xlarge r7i.16xlarge r7i.24xlarge r7i.48xlarge",
        "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 "
        "ap-southeast-3 ap-southeast-4 ap-southeast-5 ca-central-1 eu-central-1 eu-north-1 eu-south-1 eu-south-2 "
        "eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2",
    ),
    (
        "g5.xlarge g5.2xlarge g5.4xlarge g5.8xlarge g5.12xlarge g5.16xlarge g5.24xlarge g5.48xlarge",
        "ap-east-1 ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-2 ap-southeast-3 ca-central-1 eu-central-1 "
        "eu-north-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 sa-east-1 us-east-1 us-east-2 "
        "us-west-2",
    ),
    (
        "g6.xlarge g6.2xlarge g6.4xlarge g6.8xlarge g6.12xlarge g6.16xlarge g6.24xlarge g6.48xlarge",
        "ap-northeast-1 ap-northeast-2 ap-south-1 ap-south-2 ap-southeast-2 ap-southeast-5 ca-central-1 eu-central-1 "
        "eu-central-2 eu-north-1 eu-south-2 eu-west-2 eu-west-3 me-central-1 sa-east-1 us-east-1 us-east-2 us-west-2",
    ),
    (
        "g6e.xlarge g6e.2xlarge g6e.4xlarge g6e.8xlarge g6e.12xlarge g6e.16xlarge g6e.24xlarge g6e.48xlarge",
        "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 eu-central-1 eu-north-1 eu-south-2 "
        "me-central-1 us-east-1 us-east-2 us-west-2",
    ),
    (
        "p4d.24xlarge",
        "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-2 ca-central-1 eu-central-1 eu-north-1 eu-west-1 "
        "eu-west-2 sa-east-1 us-east-1 us-east-2 us-west-2",
    ),
    (
        "p4de.24xlarge",
        "ap-northeast-1 ap-southeast-1 eu-central-1 il-central-1 us-east-1 us-west-2",
    ),
    (
        "p5.4xlarge",
        "ap-northeast-1 ap-south-1 ap-southeast-2 ap-southeast-3 eu-north-1 eu-west-2 sa-east-1 us-east-1 us-east-2 "
        "us-west-2",
    ),
    (
        "p5.48xlarge",
        "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-2 ap-southeast-3 ca-central-1 eu-north-1 eu-west-2 "
        "sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2",
    ),
    (
        "p5e.48xlarge",
        "ap-southeast-2 ap-southeast-3 eu-north-1 eu-west-2 sa-east-1 us-east-2 us-west-2",
    ),
    (
        "p5en.48xlarge",
        "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-3 eu-north-1 eu-south-2 me-central-1 us-east-1 "
        "us-east-2 us-west-1 us-west-2",
    ),
    (
        "p6-b200.48xlarge",
        "ap-south-1 ap-south-2 eu-north-1 eu-west-3 us-east-1 us-east-2 us-west-2",
    ),
    (
        "p6-b300.48xlarge",
        "ap-northeast-2 ap-south-2 ap-southeast-3 sa-east-1 us-east-1 us-west-2",
    ),
    (
        "trn1.2xlarge trn1n.32xlarge",
        "us-east-1 us-east-2 us-west-2",
    ),
    (
        "trn1.32xlarge",
        "ap-south-1 ap-southeast-2 ap-southeast-4 us-east-1 us-east-2 us-west-2",
    ),
    (
        "trn2.3xlarge",
        "ap-south-2 ap-southeast-4 sa-east-1",
    ),
    (
        "trn2.48xlarge",
        "ap-south-2 us-east-2",
    ),
    (
        "trn2u.48xlarge",
        "ap-south-2",
    ),
)
_ZONES = {
    "af-south-1": "abc",
    "ap-east-1": "abc",
    "ap-northeast-1": "acd",
    "ap-northeast-2": "abcd",
    "ap-northeast-3": "abc",
    "ap-south-1": "abc",
    "ap-south-2": "abc",
    "ap-southeast-1": "abc",
    "ap-southeast-2": "abc",
    "ap-southeast-3": "abc",
    "ap-southeast-4": "abc",
    "ap-southeast-5": "abc",
    "ca-central-1": "abd",
    "ca-west-1": "abc",
    "eu-central-1": "abc",
    "eu-central-2": "abc",
    "eu-north-1": "abc",
    "eu-south-1": "abc",
    "eu-south-2": "abc",
    "eu-west-1": "abc",
    "eu-west-2": "abcd",
    "eu-west-3": "abc",
    "il-central-1": "abc",
    "me-central-1": "abc",
    "me-south-1": "abc",
    "sa-east-1": "abc",
    "us-east-1": "abcdef",
    "us-east-2": "abc",
    "us-west-1": "ab",
    "us-west-2": "abcd",
}
_REGIONS = {name: tuple(regions.split()) for names, regions in _OFFERS for name in names.split()}


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
    return None if letters is None else tuple(f"{region}{letter}" for letter in letters)
