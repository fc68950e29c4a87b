"""The figures as text: tables, and the file of sections, of which one run may renew some and leave the others."""

from __future__ import annotations

import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PREAMBLE = """# Benchmarks

Written by `make bench`; `python -m benchmarks GROUP` renews one group of sections. A figure is a median, with the
smallest and the largest in brackets. Compare figures of one table, not of two machines.
"""
NOT_YET = "Not measured yet."


@dataclass(frozen=True)
class Section:
    """A part of the file.

    Attributes:
        group: by which it is chosen on the command line.
        measure: takes the measurements; gives the text below the heading.
        rows_tell_load: whether each row has the load average of its own runs, which then stands for the section.
    """

    group: str
    title: str
    measure: Callable[[], str]
    rows_tell_load: bool = False

    def measured(self, form: str) -> str:
        """The text of a measurement now, which begins with when and where it was made."""
        load, began = os.getloadavg()[0], datetime.now(UTC)
        body = self.measure()
        busy = "" if self.rows_tell_load else f", load average {load:.1f} before and {os.getloadavg()[0]:.1f} after"
        return f"{where(began)}{busy}{form}.\n\n{body}"


class NotMeasured(Exception):
    """Why there are no figures, in one sentence, which takes their place."""


class Failed(NotMeasured):
    """There are none although there could be: what was measured did not work."""


def where(began: datetime) -> str:
    """When, and on which machine."""
    return (
        f"Measured on {began:%Y-%m-%d}: {_processor()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {platform.system()} {platform.release().partition('-')[0]}"
    )


def sections_of(text: str) -> dict[str, str]:
    """The sections that a file has, by title."""
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return {title.strip(): body.strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def document(sections: Sequence[Section], texts: Mapping[str, str]) -> str:
    """The file; a section that has no text says that it was not measured yet."""
    parts = [f"## {one.title}\n\n{texts.get(one.title, NOT_YET)}\n" for one in sections]
    return "\n".join([PREAMBLE, *parts])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its first column is words or sizes, and all are aligned to the right."""
    lines = [f"| {' | '.join(head)} |", "|" + "---:|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def spread(values: Iterable[float], digits: int = 2) -> str:
    """Median, smallest and largest."""
    found = sorted(values)
    return f"{statistics.median(found):.{digits}f} ({found[0]:.{digits}f}–{found[-1]:.{digits}f})"


def say(what: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "unknown processor")
