"""What a verb works on: a checkout, a stack, the data root, and where data and progress go."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.console import Console

from local.kube_api import ApiError, Unreachable
from local.paths import CHECKOUT, DataRoot, LocalCloudError
from operations.exits import Exit, OperationFailed

LOCAL_ACCOUNT = "123456789012"
"""moto's account: a stack pinned to it can touch no real one."""


class Output(StrEnum):
    """The form of the data on stdout."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class Workplace:
    """One stack of one checkout on this machine."""

    stack: str
    output: Output
    root: DataRoot
    checkout: Path = CHECKOUT
    _given: list[Any] = field(default_factory=list[Any], init=False, repr=False, compare=False)

    @property
    def stack_file(self) -> Path:
        """The stack's configuration."""
        return self.checkout / f"Pulumi.{self.stack}.yaml"

    def progress(self) -> Console:
        """Where everything goes that is not data."""
        return Console(stderr=True, highlight=False, soft_wrap=True)

    def tell(self, text: str) -> None:
        """Say one thing on stderr, as it is."""
        self.progress().print(text, markup=False)

    def give(self, data: Any, text: str) -> None:
        """Put the verb's data on stdout in the form asked for."""
        self._given.append(data)
        if self.output is Output.JSON:
            print(json.dumps(data, indent=2, sort_keys=True, default=str))
        elif text:
            print(text)

    def give_failure(self, problem: OperationFailed) -> None:
        """Put a failure where a script reads data; not behind what the verb has given, for it reads one document."""
        if self.output is Output.JSON and not self._given:
            self.give({"exit_code": int(problem.status), "errors": problem.errors}, "")

    def require_stack_file(self) -> None:
        """Refuse a stack without a file, and name those that have one."""
        if self.stack_file.is_file():
            return
        names = sorted(path.name.split(".")[1] for path in self.checkout.glob("Pulumi.*.yaml"))
        raise OperationFailed(
            f"There is no stack `{self.stack}`: {self.stack_file} does not exist. "
            f"There are: {', '.join(names) or 'none'}.",
            Exit.CONFIGURATION,
        )


@contextmanager
def workplace(stack: str, output: Output) -> Iterator[Workplace]:
    """Where a verb works; a failure goes on, and is given to scripts on its way."""
    place = Workplace(stack, output, DataRoot.of_environment())
    try:
        yield place
    except OperationFailed as problem:
        place.give_failure(problem)
        raise
    except LocalCloudError as problem:
        place.give_failure(OperationFailed(str(problem)))
        raise
    except (ApiError, Unreachable) as problem:
        failed = OperationFailed(f"A control plane of `{stack}` does not do what it is asked: {problem}")
        place.give_failure(failed)
        raise failed from problem


def is_ci() -> bool:
    """Whether nobody watches: no live drawing then."""
    return bool(os.environ.get("CI"))
