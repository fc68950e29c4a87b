"""What the exit status of ``aidc`` means, and the failures that carry one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.config import ConfigurationError, Problem


class Exit(IntEnum):
    """The exit status: the same for every verb."""

    CLEAN = 0
    ERROR = 1  # also wrong usage
    CHANGES_PENDING = 2  # only where asked for, with `preview --exit-code`
    POLICY = 3
    CONFIGURATION = 4
    DRIFT = 5


class OperationFailed(Exception):
    """A verb cannot go on. The message is all that the user is shown: what, where, why, what to do."""

    def __init__(self, message: str, status: Exit = Exit.ERROR, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        """``errors`` is the message in its parts, for scripts; absent: it is one."""
        super().__init__(message)
        self.status = status
        self.errors = tuple(errors) or ({"message": message},)

    @classmethod
    def of_configuration(cls, error: ConfigurationError) -> OperationFailed:
        """That of a stack file which cannot be."""
        return cls(str(error), Exit.CONFIGURATION, [_part(problem) for problem in error.problems])


class Ended(Exception):
    """A verb did its work and has a status to give; everything has been said."""

    def __init__(self, status: Exit) -> None:
        super().__init__()
        self.status = status


def _part(problem: Problem) -> dict[str, Any]:
    """One problem as plain values; without a place where its value is not the file's."""
    at = {"file": str(problem.file), "line": problem.line, "column": problem.column} if problem.line else {}
    return {
        **at,
        "key": problem.key,
        "message": problem.message,
        "nearest": problem.nearest,
        "allowed": problem.allowed,
    }
