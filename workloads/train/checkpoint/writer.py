"""Who writes checkpoints, by which rules, and what writing processes need of each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Policy:
    """What is kept, and how surely: the newest ``keep``, and for good each step that ``keep_every`` divides."""

    keep: int = 3
    keep_every: int = 0
    read_back: bool = True
    timeout_s: float = 300.0


class Others(Protocol):
    """What the writing processes of a job need of each other: see :class:`train.parallel.peers.Peers`."""

    def from_first(self, name: str, text: Callable[[], str]) -> str:
        """What ``text`` gives at process 0, at every process."""
        ...

    def publish(self, name: str, text: str) -> None:
        """Let the others read ``text``."""
        ...

    def published(self, name: str) -> str:
        """What was published; empty while nothing was."""
        ...


class Nobody:
    """The others of a process alone."""

    def from_first(self, name: str, text: Callable[[], str]) -> str:
        """See :meth:`Others.from_first`."""
        return text()

    def publish(self, name: str, text: str) -> None:
        """See :meth:`Others.publish`."""

    def published(self, name: str) -> str:
        """See :meth:`Others.published`."""
        return ""


@dataclass(frozen=True)
class Writer:
    """Which process this is; ``attempt`` is the same at all processes of one start of the job, and at no other."""

    index: int = 0
    processes: int = 1
    attempt: str = ""
    others: Others = field(default_factory=Nobody)
