"""TPU slices: which shapes a machine type makes, and how many machines each takes. Pure arithmetic on the catalogue.

A topology is the number of chips along each axis, as GKE writes it: ``4x4`` on v5e and v6e, whose chips form a plane,
``2x2x4`` on v5p and TPU7x, whose chips form a torus of three axes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from . import tpu
from .model import InstanceType

SLICES_SOURCE = (
    "GKE documentation, Plan TPUs in GKE, as AI-Hypercomputer/xpk has its rules in system_characteristics.py"
)
# The machine type whose machines join: those of other sizes are a slice by themselves.
_JOINING_CHIPS = 4
_FLAT = frozenset((tpu.V5E.name, tpu.V6E.name))
# Below a cube of 4x4x4 a slice is a part of one; from there on it is made of whole cubes.
_CUBE = 4
_PARTS_OF_A_CUBE = ((2, 2, 1), (2, 2, 2), (2, 2, 4), (2, 4, 4))
_WRITTEN = re.compile(r"[1-9][0-9]{0,3}(x[1-9][0-9]{0,3}){1,2}", re.ASCII)

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A slice: what ``hosts`` machines of one type make together.

    Attributes:
        machine_type: the machines, a TPU type of the catalogue.
        shape: chips along each axis.
        chips: all of them.
        hosts: machines.
    """

    machine_type: str
    shape: Shape
    chips: int
    hosts: int

    @property
    def topology(self) -> str:
        """The shape as GKE writes it."""
        return written(self.shape)

    @property
    def chips_per_host(self) -> int:
        """Chips of one machine."""
        return self.chips // self.hosts

    @property
    def is_multi_host(self) -> bool:
        """Whether it takes several machines, which live and die together."""
        return self.hosts > 1


def written(shape: Shape) -> str:
    """``2x2x4``."""
    return "x".join(map(str, shape))


def read(topology: str) -> Shape | None:
    """The shape; ``None`` where that is no topology at all."""
    return tuple(map(int, topology.split("x"))) if _WRITTEN.fullmatch(topology) else None


@cache
def shapes(row: InstanceType) -> tuple[Shape, ...]:
    """The shapes that machines of the type make, smallest first."""
    if row.chip is None or row.gke_accelerator is None:
        return ()
    found = _planes(row) if row.chip.name in _FLAT else _cubes(row)
    return tuple(sorted(found, key=lambda shape: (math.prod(shape), shape)))


def _planes(row: InstanceType) -> Iterator[Shape]:
    """Sides are powers of two, as near to a square as they can be; up to a whole pod."""
    side = 1
    while side * side <= row.domain_chips:
        for shape in ((side, side), (side, 2 * side)):
            chips = math.prod(shape)
            if chips == row.chips or (row.chips == _JOINING_CHIPS < chips <= row.domain_chips):
                yield shape
        side *= 2


def _cubes(row: InstanceType) -> Iterator[Shape]:
    yield from (shape for shape in _PARTS_OF_A_CUBE if math.prod(shape) % row.chips == 0)
    most = row.domain_chips // _CUBE**3
    for x in range(1, most + 1):
        for y in range(x, most // x + 1):
            yield from ((x * _CUBE, y * _CUBE, z * _CUBE) for z in range(y, most // (x * y) + 1))


def slice_of(row: InstanceType, topology: str) -> Slice | None:
    """The slice of that topology; ``None`` where machines of the type make none."""
    shape = read(topology)
    if shape is None or shape not in shapes(row):
        return None
    chips = math.prod(shape)
    return Slice(machine_type=row.name, shape=shape, chips=chips, hosts=chips // row.chips)


def nearest(row: InstanceType, topology: str, count: int = 4) -> tuple[str, ...]:
    """Topologies that the type makes, those first that are most like ``topology``; the smallest where it is none.

    The same axes in another order come first, then the nearest number of chips.
    """
    shape = read(topology)
    if shape is None:
        return tuple(map(written, shapes(row)[:count]))
    chips = math.prod(shape)

    def distance(other: Shape) -> tuple[bool, float, Shape]:
        return sorted(other) != sorted(shape), abs(math.log(math.prod(other) / chips)), other

    return tuple(written(other) for other in sorted(shapes(row), key=distance)[:count])


def makers(topology: str, rows: tuple[InstanceType, ...]) -> tuple[str, ...]:
    """The machine types that make the topology."""
    return tuple(row.name for row in rows if slice_of(row, topology))
