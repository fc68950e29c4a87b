"""The one error that a job answers a user's mistake with, or that ends it."""

from __future__ import annotations


class Failure(Exception):
    """A reason to end the test, in one sentence for the operator; ``of_all`` where every process finds the same."""

    def __init__(self, reason: str, *, of_all: bool = False) -> None:
        super().__init__(" ".join(reason.split()))
        self.of_all = of_all
