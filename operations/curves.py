"""Curves: one line of a terminal, or the geometry of a chart.

Both reckon with decimals, of any finite numbers: floats overflow between -1e308 and 1e308, and vanish beside 5e-324.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import mean

Values = Sequence[float | None]

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.:-=+*#"
SPARK_WIDTH = 40
WIDTH, HEIGHT = 760, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 26, 42
# Dark enough on white (3:1 and more), and apart for those who do not tell red from green; dashes tell apart without.
_COLORS = ("#0b5fa5", "#b34700", "#00704f", "#7a3b9c")
_DASHES = ("", "7 4", "2 4", "10 4 2 4")


def spark(values: Values, blocks: str = BLOCKS, width: int = SPARK_WIDTH) -> str:
    """The curve in at most ``width`` characters, each the mean of its share; a blank where there is no number."""
    columns = min(width, len(values))
    shares = [values[len(values) * n // columns : len(values) * (n + 1) // columns] for n in range(columns)]
    means = [mean(known) if (known := _known(_exact(share))) else None for share in shares]
    low, high = _range(_known(means))
    top = len(blocks) - 1
    return "".join(" " if one is None else blocks[round(top * (one - low) / (high - low))] for one in means)


@dataclass(frozen=True)
class Curve:
    """One curve of a chart: an SVG path, and how it is told apart."""

    name: str
    path: str
    color: str
    dash: str


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, in pixels, and what it says."""

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """Curves over steps in a box of ``WIDTH`` by ``HEIGHT``; ``gaps``: where the first one has no number."""

    left: float
    right: float
    top: float
    bottom: float
    curves: tuple[Curve, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    gaps: tuple[float, ...]


def chart(steps: Sequence[int], named: Sequence[tuple[str, Values]]) -> Chart | None:
    """The geometry of some curves with one axis for all; None where there is no number at all."""
    exact = [_exact(values) for _, values in named]
    known = [one for values in exact for one in _known(values)]
    if not known or not steps:
        return None
    low, high = _range(known)
    margin = (high - low) / 25
    low, high = low - margin, high + margin
    first, last = _range([Decimal(step) for step in steps])
    left, right, top, bottom = _LEFT, WIDTH - _RIGHT, _TOP, HEIGHT - _BOTTOM

    def x(step: Decimal) -> float:
        return round(left + (right - left) * float((step - first) / (last - first)), 1)

    def y(value: Decimal) -> float:
        return round(bottom - (bottom - top) * float((value - low) / (high - low)), 1)

    across = [x(Decimal(step)) for step in steps]
    paths = [_path([(at, None if one is None else y(one)) for at, one in zip(across, values, strict=True)])
             for values in exact]  # fmt: skip
    return Chart(
        left, right, top, bottom,
        tuple(Curve(name, path, *_look(n)) for n, ((name, _), path) in enumerate(zip(named, paths, strict=True))),
        tuple(Tick(x(at), f"{at:,.0f}") for at in _nice(first, last, 6) if at == int(at)),
        tuple(Tick(y(at), f"{float(at):g}") for at in _nice(low, high, 5) if math.isfinite(float(at))),
        tuple(at for at, one in zip(across, exact[0], strict=True) if one is None),
    )  # fmt: skip


def _exact(values: Values) -> list[Decimal | None]:
    """The same numbers; None where there is none, or no finite one."""
    return [None if one is None or not math.isfinite(one) else Decimal(one) for one in values]


def _known(values: Sequence[Decimal | None]) -> list[Decimal]:
    return [one for one in values if one is not None]


def _range(known: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """Lowest and highest; never the same, for a flat curve is drawn too."""
    low, high = min(known, default=Decimal(0)), max(known, default=Decimal(0))
    return (low, high) if high > low else (low, low + (abs(low) or 1))


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    """Lines between neighbours, and a dot where a point has none."""
    parts, draws = list[str](), False
    for x, y in points:
        if y is not None:
            parts.append(f"L{x:g} {y:g}" if draws else f"M{x:g} {y:g}h0")
        draws = y is not None
    return "".join(parts)


def _look(number: int) -> tuple[str, str]:
    """Colour and dashes of a curve: no two of sixteen are alike, and neighbours differ in both."""
    turn = number // len(_COLORS)
    return _COLORS[number % len(_COLORS)], _DASHES[(number + turn) % len(_DASHES)]


def _nice(low: Decimal, high: Decimal, most: int) -> list[Decimal]:
    """Round numbers in between, about ``most`` of them or half as many."""
    rough = (high - low) / most
    size = Decimal(1).scaleb(rough.adjusted())
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
