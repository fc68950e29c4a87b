"""The one error that a lesson answers a reader's mistake with."""

from __future__ import annotations


class LessonError(Exception):
    """What is wrong, where, and what to do about it, in one sentence or two."""
