"""Running the steps: independent ones at once, each after what it needs, all ended when one fails."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TextIO

from setup.children import CommandFailed, Progress, Stopped
from setup.golang import MACHINE_NAMES, NAMES
from setup.step import SetupError, Site, Step


class StepFailed(SetupError):
    """A step failed: ``step`` is its name."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step


def make_all(steps: Sequence[Step], site: Site, stream: TextIO) -> None:
    """Make what is not there yet.

    Raises:
        StepFailed: a step failed; the others have been ended.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(steps))) as pool:
        futures: dict[str, Future[None]] = {}
        for step in steps:  # listed so that a step comes after what it needs
            awaited = [futures[name] for name in step.needs if name in futures]  # others were made before
            futures[step.name] = pool.submit(_make, step, awaited, site, stream)
        try:
            wait(futures.values(), return_when=FIRST_EXCEPTION)
        finally:  # also on Ctrl-C: without it the pool would wait for its threads, and they for their commands
            if not all(future.done() for future in futures.values()):
                site.children.stop()
    for future in futures.values():
        with contextlib.suppress(Stopped):
            future.result()


def make_missing(wanted: Sequence[Step], site: Site) -> bool:
    """Make what is not there yet, with a word before; True when nothing was missing.

    Raises:
        StepFailed: as `make_all`.
    """
    missing = [step.name for step in wanted if not step.is_done(site.cache)]
    if missing:
        print(f"Makes {', '.join(missing)} under {site.cache}", file=sys.stderr)
        make_all(wanted, site, sys.stderr)
    link_programs(wanted, site.cache)
    return not missing


def _make(step: Step, awaited: list[Future[None]], site: Site, stream: TextIO) -> None:
    for future in awaited:
        if future.exception() is not None:
            raise Stopped
    progress = Progress(step.name, stream)
    try:
        if step.make(site, progress):
            progress.say("ready")
    except CommandFailed as problem:
        raise StepFailed(
            step.name,
            f"The step `{step.name}` failed: {problem}\nRun it again when that is mended: "
            "what is finished is kept, and what is half downloaded or compiled goes on from there.",
        ) from problem
    except (OSError, SetupError) as problem:
        raise StepFailed(step.name, f"The step `{step.name}` failed: {problem}") from problem


def link_programs(steps: Sequence[Step], cache: Path) -> None:
    """Let ``<cache>/bin`` name the programs just made; `local.paths.binary` looks there."""
    for step in steps:
        for name in (*NAMES, *MACHINE_NAMES):
            program = step.folder(cache) / name
            if program.is_file():
                replace_link(cache / "bin" / name, program)


def replace_link(link: Path, target: Path) -> None:
    """Point a symbolic link somewhere else in one move, so that nobody ever sees none."""
    if link.is_symlink() and link.readlink() == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_name(f".{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
