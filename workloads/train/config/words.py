"""Words for whoever reads what a job says."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """So many of it: 1 device, 2 devices."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
