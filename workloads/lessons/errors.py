"""The one error that a lesson answers a reader's mistake with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LessonError(Exception):
    """What is wrong, where, and what to do about it, in one sentence or two."""


@contextmanager
def looking_into(path: Path) -> Iterator[None]:
    """What the system refuses at ``path`` becomes a sentence: even to ask whether a file is there may be refused."""
    try:
        yield
    except OSError as problem:
        raise LessonError(
            f"{path}: cannot be read: {problem.strerror}; correct the name, or the rights to it and to its folders"
        ) from None
