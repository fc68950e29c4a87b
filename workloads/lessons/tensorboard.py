"""TensorBoard's event files, or nothing where no folder is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from lessons.errors import LessonError


class Scalars(Protocol):
    """Takes numbers by name and step."""

    def __call__(self, step: int, **values: float) -> None:
        """Log the values at this step."""
        ...


@contextmanager
def scalars(folder: Path | None) -> Iterator[Scalars]:
    """A writer of numbers into ``folder``; ``tensorboard --logdir`` shows them.

    Raises:
        LessonError: the folder cannot be made or written to.
    """
    if folder is None:
        yield lambda step, **values: None
        return
    from tensorboardX import SummaryWriter  # here: it is needed where logs are wanted only

    try:
        writer = SummaryWriter(str(folder))
    except OSError as problem:
        raise LessonError(f"{folder}: logs cannot be written there: {problem.strerror}") from None

    def write(step: int, **values: float) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)

    try:
        yield write
    finally:
        writer.close()
