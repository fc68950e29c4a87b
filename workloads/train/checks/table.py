"""The verdict of the checks as a table with one row a node."""

from __future__ import annotations

from train.checks.health import Health, NodeHealth

_HEADINGS = (
    "node",
    "health",
    "devices",
    "matmul TFLOP/s",
    "memory GB/s",
    "to/from device GB/s",
    "store MB/s",
    "slower",
)


def lines(found: Health) -> list[str]:
    """Aligned columns, then collectives, links that stand out, and what is not well. A dash: there is no such thing."""
    cells = [_HEADINGS, *(_cells(row) for row in found.nodes)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    buses = [
        f"{bus.name} of {_size(bus.message_bytes)}: {1e3 * bus.seconds:.2f} ms, {bus.bus_bytes_per_s / 1e9:.2f} GB/s"
        for bus in found.collectives
    ]
    links = sorted(found.links, key=lambda link: link.bytes_per_s)
    slowest = [
        f"slowest link {link.nodes[0]} to {link.nodes[1]}: {link.bytes_per_s / 1e9:.2f} GB/s" for link in links[:1]
    ]
    problems = [f"{finding.status}: {finding.sentence}" for finding in found.findings]
    return [*table, *buses, *slowest, *problems, found.status.value]


def _cells(row: NodeHealth) -> tuple[str, ...]:
    figures = row.figures
    return (
        figures.node,
        row.status.value,
        f"{figures.devices} × {figures.device_kind}",
        _scaled(figures.matmul_flops, 1e12, 2),
        _scaled(figures.memory_bytes_per_s, 1e9, 1),
        _both(figures.to_device_bytes_per_s, figures.from_device_bytes_per_s, 1e9),
        _both(figures.store_write_bytes_per_s, figures.store_read_bytes_per_s, 1e6),
        _slower(row),
    )


def _slower(row: NodeHealth) -> str:
    if row.slower is None or row.slower_low is None or row.slower_high is None:
        return "-"
    return f"{100 * row.slower:+.1f} % ({100 * row.slower_low:+.1f} to {100 * row.slower_high:+.1f})"


def _both(there: float | None, back: float | None, unit: float) -> str:
    return "-" if there is None else f"{_scaled(there, unit, 1)} / {_scaled(back, unit, 1)}"


def _scaled(value: float | None, unit: float, digits: int) -> str:
    return "-" if value is None else f"{value / unit:,.{digits}f}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):g} MiB" if size_bytes >= 1 << 20 else f"{size_bytes / (1 << 10):g} KiB"
