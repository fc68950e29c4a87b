"""What the exit status of ``aidc`` means, and the failures that carry one."""

from __future__ import annotations

from enum import IntEnum


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

    def __init__(self, message: str, status: Exit = Exit.ERROR) -> None:
        super().__init__(message)
        self.status = status


class Ended(Exception):
    """A verb did its work and has a status to give; everything has been said."""

    def __init__(self, status: Exit) -> None:
        super().__init__()
        self.status = status
