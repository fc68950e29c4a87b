"""``make bench``: measure, and write docs/benchmarks.md. Figures are ratios within one run wherever they can be.

``python -m benchmarks [--short] [GROUP …]``: GROUP is ``engine``, ``machines``, ``etl``, ``checks`` or ``train``; what
is not asked for stays as it is in the file. ``--short`` measures the smaller sizes, and everything once or less often,
and says so in what it writes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import checks, engine, etl, machines, train_job, train_step
from benchmarks.tables import Failed, NotMeasured, Section, document, sections_of
from local.files import write_atomically
from local.paths import CHECKOUT

FILE = CHECKOUT / "docs" / "benchmarks.md"
GROUPS = ("engine", "machines", "etl", "checks", "train")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure section after section; the status: 1 where a measurement failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and write docs/benchmarks.md.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"{' or '.join(GROUPS)}; all where there is none")
    parser.add_argument("--short", action="store_true", help="the smaller sizes, and everything once")
    asked = parser.parse_args(arguments)
    if unknown := [group for group in asked.groups if group not in GROUPS]:
        parser.error(f"there is no group {', '.join(unknown)}: the groups are {', '.join(GROUPS)}")
    rounds, form = (1, "; the short form: one run of each, or few") if asked.short else (3, "")
    every = [
        *engine.sections(rounds, slice(2 if asked.short else None)),
        *machines.sections(rounds, pairs=2 if asked.short else 4),
        *etl.sections(pairs=2 if asked.short else 6),
        *checks.sections(trials=20 if asked.short else 100),
        *train_step.sections(pairs=2 if asked.short else 6),
        *train_job.sections(pairs=2 if asked.short else 6),
    ]
    wanted = [section for section in every if section.group in (asked.groups or GROUPS)]
    failed = renew(FILE, every, wanted, form)
    print(f"written: {FILE}")
    return 1 if failed else 0


def renew(file: Path, every: Sequence[Section], wanted: Sequence[Section], form: str = "") -> list[str]:
    """Measure the wanted sections, and give the titles of those that failed.

    The file is written after each, so that a run that is ended keeps what it has measured.
    """
    texts, failed = sections_of(file.read_text()) if file.exists() else {}, list[str]()
    for section in wanted:
        try:
            texts[section.title] = section.measured(form)
        except NotMeasured as reason:
            texts[section.title] = f"Not measured: {reason}."
            failed += [section.title] if isinstance(reason, Failed) else []
        write_atomically(file, document(every, texts))
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
