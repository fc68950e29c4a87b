"""A step of the set-up: what it is made from, where it lies, and building it once whoever asks."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from setup.children import Children, Progress

WAITING = "waits for another set-up that is making the same"
MARKER = ".complete"
"""Written last into a step's folder. A virtual environment holds its own path, so no step is moved into place."""


class SetupError(Exception):
    """The machine cannot be made ready; the message says what is missing and what to do."""


class NoMachines(SetupError):
    """What only machines need cannot be had: nodes can be processes all the same.

    Attributes:
        is_lasting: whether trying again soon is of no use; a full disk is looked at every time.
    """

    def __init__(self, message: str, *, is_lasting: bool = True) -> None:
        super().__init__(message)
        self.is_lasting = is_lasting


@dataclass(frozen=True)
class Site:
    """Where one run of the set-up works, and how it starts and watches commands."""

    cache: Path
    checkout: Path
    children: Children


@dataclass(frozen=True)
class Step:
    """One thing that the set-up makes.

    Attributes:
        name: short, without spaces; begins the name of its folder.
        ingredients: everything that decides what comes out; another ingredient is another folder.
        needs: the names of the steps whose results it uses.
        build: makes the result in an empty folder; called only when there is none yet.
    """

    name: str
    ingredients: tuple[str, ...]
    needs: tuple[str, ...]
    build: Callable[[Path, Site, Progress], None]

    def folder(self, cache: Path) -> Path:
        """The folder of the result: the same ingredients give the same folder."""
        digest = hashlib.sha256()
        for ingredient in (self.name, *self.ingredients):
            digest.update(f"{len(ingredient)}:{ingredient}".encode())
        return cache / f"{self.name}-{digest.hexdigest()[:16]}"

    def is_done(self, cache: Path) -> bool:
        """Whether the whole result is there."""
        return (self.folder(cache) / MARKER).is_file()

    def make(self, site: Site, progress: Progress) -> bool:
        """Build the result unless it is there; False when it was. Waits for another run that builds the same."""
        if self.is_done(site.cache):
            return False
        folder = self.folder(site.cache)
        with _held(lock_of(folder), site, progress) as lock:
            if self.is_done(site.cache):  # the run that was waited for has made it
                return False
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            progress.keep_open(lock)
            self.build(folder, site, progress)
            (folder / MARKER).touch()
            return True


def lock_of(folder: Path) -> Path:
    """The file that whoever makes or removes a step's folder holds."""
    return folder.with_name(folder.name + ".lock")


@contextmanager
def held_if_free(path: Path) -> Iterator[bool]:
    """Hold a lock file, without waiting; whether it was free."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        yield _taken(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _held(path: Path, site: Site, progress: Progress) -> Iterator[int]:
    """Hold a lock file and give its descriptor, which the step's commands inherit.

    So a set-up that was killed keeps the next one waiting for as long as a command of it still writes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if not _taken(descriptor):
            progress.say(WAITING)
            while not _taken(descriptor):
                site.children.require_running()
                time.sleep(0.2)
                progress.say_if_silent(WAITING)
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
