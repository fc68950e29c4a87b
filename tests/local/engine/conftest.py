"""A stack of one's own: a program written into a folder, a state, and a world for the null provider."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.engine import CollectingDisplay, Engine, Result, load_project
from local.engine.store.model import ResourceState
from local.engine.store.secrets import SecretsManager
from local.engine.store.store import StateStore
from tests.local.engine.null_provider import NullProvider, World

PRELUDE = """
import pulumi

class Thing(pulumi.CustomResource):
    token: pulumi.Output[str]
    value: pulumi.Output[str]

    def __init__(self, name, opts=None, **props):
        super().__init__("null:index:Thing", name, {"token": None, "region": None, **props}, opts)

class Group(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("test:index:Group", name, {}, opts)

class Provider(pulumi.ProviderResource):
    def __init__(self, name, opts=None, **props):
        super().__init__("null", name, props, opts)

O = pulumi.ResourceOptions
"""

# One passphrase and one salt for all tests and their processes: deriving a key takes a while, and is done once then.
SECRETS = SecretsManager("pass", "v1:iQfYFWs38HU=:v1:6FzjMTXBFRg0O6NP:MXm2Rssq7ik8xlqPjePk6bhuqh0eLw==")


@dataclass
class Stack:
    """One stack under test."""

    root: Path
    world: World = field(default_factory=World)
    display: CollectingDisplay = field(default_factory=CollectingDisplay)

    def write(self, program: str) -> None:
        """Replace the program."""
        (self.root / "__main__.py").write_text(PRELUDE + textwrap.dedent(program))

    def store(self) -> StateStore:
        """The stack's store, opened anew as another process would."""
        return StateStore(self.root / "state", "proj", "test", SECRETS)

    def engine(self, **options: Any) -> Engine:
        """An engine on the stack, with a display of its own."""
        self.display = CollectingDisplay()
        project = load_project(self.root, "test")
        return Engine(project, self.store(), {"null": lambda: NullProvider(self.world)}, self.display, **options)

    def up(self, program: str | None = None) -> Result:
        """Bring up the program, a new one where it is given."""
        if program is not None:
            self.write(program)
        return self.engine().up()

    def preview(self, program: str | None = None) -> Result:
        """Preview the program, a new one where it is given."""
        if program is not None:
            self.write(program)
        return self.engine().preview()

    def states(self) -> dict[str, ResourceState]:
        """The state's live resources by name."""
        return {state.name: state for state in self.store().open().live().values()}


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack with an empty program."""
    return new_stack(tmp_path)


def new_stack(root: Path) -> Stack:
    """A stack with an empty program, in a folder of its own."""
    (root / "Pulumi.yaml").write_text("name: proj\nruntime: python\n")
    (root / "Pulumi.test.yaml").write_text("config:\n  null:region: here\n")
    made = Stack(root)
    made.write("")
    return made


def changed(result: Result) -> dict[str, int]:
    """The counts that are not zero, without those that found everything as it should be."""
    return {op: count for op, count in result.changes.items() if count and op != "same"}
