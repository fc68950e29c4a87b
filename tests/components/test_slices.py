"""Shapes of TPU slices: what machines make, how many it takes, and what is nearest to what none makes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.accelerators import CATALOGUE, TPU_TYPES, InstanceType
from components.accelerators.slices import Shape, makers, nearest, read, shapes, slice_of, written
from components.accelerators.tpu_zones import region_of, zones_with

ROWS = [CATALOGUE[name] for name in TPU_TYPES]
SIDES = st.lists(st.integers(1, 40), min_size=1, max_size=4).map(tuple)


# GKE documentation, Plan TPUs in GKE: machine type, topology, machines.
@pytest.mark.parametrize(
    ("machine_type", "topology", "hosts"),
    [
        ("ct5lp-hightpu-1t", "1x1", 1), ("ct5lp-hightpu-8t", "2x4", 1), ("ct5lp-hightpu-4t", "2x2", 1),
        ("ct5lp-hightpu-4t", "2x4", 2), ("ct5lp-hightpu-4t", "16x16", 64), ("ct5p-hightpu-4t", "2x2x1", 1),
        ("ct5p-hightpu-4t", "2x2x4", 4), ("ct5p-hightpu-4t", "4x4x4", 16), ("ct5p-hightpu-4t", "8x16x16", 512),
        ("ct6e-standard-1t", "1x1", 1), ("ct6e-standard-8t", "2x4", 1), ("ct6e-standard-4t", "4x8", 8),
        ("tpu7x-standard-4t", "2x4x4", 8), ("tpu7x-standard-4t", "4x4x8", 32),
    ],
)  # fmt: skip
def test_a_published_slice_takes_the_published_number_of_machines(machine_type: str, topology: str, hosts: int) -> None:
    found = slice_of(CATALOGUE[machine_type], topology)
    assert found is not None
    assert (found.hosts, found.topology, found.is_multi_host) == (hosts, topology, hosts > 1)


@pytest.mark.parametrize(
    ("machine_type", "topology"),
    [
        ("ct5lp-hightpu-1t", "2x2"), ("ct5lp-hightpu-8t", "4x4"), ("ct6e-standard-4t", "1x1"),
        ("ct6e-standard-4t", "4x2"), ("ct6e-standard-4t", "2x8"), ("ct6e-standard-4t", "16x32"),
        ("ct6e-standard-4t", "2x2x4"), ("ct5p-hightpu-4t", "4x4"), ("ct5p-hightpu-4t", "2x2x8"),
        ("ct5p-hightpu-4t", "4x4x6"), ("ct5p-hightpu-4t", "4x2x2"), ("ct5p-hightpu-4t", "64x64x64"),
    ],
)  # fmt: skip
def test_what_no_machine_makes_is_no_slice(machine_type: str, topology: str) -> None:
    assert slice_of(CATALOGUE[machine_type], topology) is None


@pytest.mark.parametrize("row", ROWS, ids=TPU_TYPES)
def test_every_shape_is_whole_machines_of_one_pod_and_reads_back(row: InstanceType) -> None:
    assert shapes(row)
    for shape in shapes(row):
        found = slice_of(row, written(shape))
        assert found is not None
        assert found.chips == math.prod(shape) == found.hosts * row.chips <= row.domain_chips
        assert found.chips_per_host == row.chips
        assert read(found.topology) == shape
        assert list(shape) == sorted(shape) or shape == (2, 2, 1)
    assert len(set(map(tuple, map(sorted, shapes(row))))) == len(shapes(row))


@settings(max_examples=60, deadline=None)
@given(row=st.sampled_from(ROWS), shape=SIDES)
def test_the_nearest_are_made_and_none_is_nearer(row: InstanceType, shape: Shape) -> None:
    topology = written(shape)
    found = nearest(row, topology)
    assert found
    assert all(slice_of(row, other) for other in found)
    if slice_of(row, topology):
        assert found[0] == topology
    elif read(topology) is not None and sorted(shape) not in map(sorted, shapes(row)):

        def away(other: Shape) -> float:
            return abs(math.log(math.prod(other) / math.prod(shape)))

        first = read(found[0])
        assert first is not None
        assert away(first) == min(map(away, shapes(row)))


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=12) | SIDES.map(written) | st.sampled_from(["0x4", "4X4", "4×4", "٤x4", "4x4x", "99999x4"])
)
def test_any_text_is_a_topology_or_none_and_never_an_error(text: str) -> None:
    shape = read(text)
    assert shape is None or written(shape) == text
    assert all(nearest(row, text) for row in ROWS)


def test_axes_in_another_order_are_corrected_first() -> None:
    assert nearest(CATALOGUE["ct5p-hightpu-4t"], "4x2x2")[0] == "2x2x4"
    assert nearest(CATALOGUE["ct6e-standard-4t"], "8x4")[0] == "4x8"


def test_who_makes_a_topology_is_known() -> None:
    assert makers("2x4", tuple(ROWS)) == (
        "ct5lp-hightpu-4t", "ct5lp-hightpu-8t", "ct6e-standard-4t", "ct6e-standard-8t",
    )  # fmt: skip
    assert shapes(CATALOGUE["p5.48xlarge"]) == ()


def test_zones_are_of_their_region_and_what_is_not_published_is_unknown() -> None:
    assert zones_with("TPU7x") is None
    for row in ROWS:
        zones = zones_with(row.chip.name) if row.chip else None
        assert zones is None or all(region_of(zone) == zone[:-2] for zone in zones)
