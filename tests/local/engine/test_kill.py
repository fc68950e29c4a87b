"""A run that is killed, at every point where the world or the journal changes: the next one converges."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.paths import CHECKOUT
from tests.local.engine.conftest import Stack, changed, new_stack
from tests.local.engine.null_provider import World

BEFORE = """
a = Thing("a", value="1")
b = Thing("b", force="1", value=a.token)
c = Thing("c", first="1")
d = Thing("d", force=c.token)
e = Thing("e", value="1")
"""
AFTER = """
a = Thing("a", value="2")
b = Thing("b", force="2", value=a.token)
c = Thing("c", first="2")
d = Thing("d", force=c.token)
f = Thing("f", value=b.id, password=pulumi.Output.secret("canary"))
"""
OTHER = 'a = Thing("a", value="3")\nc = Thing("c", first="3")'


@pytest.fixture(scope="module")
def killed_first(tmp_path_factory: pytest.TempPathFactory) -> list[Stack]:
    """What first ups leave that are killed at one point each, all points in order."""
    return killed_everywhere(new_stack(tmp_path_factory.mktemp("first")), BEFORE)


@pytest.fixture(scope="module")
def killed_change(tmp_path_factory: pytest.TempPathFactory) -> list[Stack]:
    """What ups leave that change what is there and are killed at one point each, all points in order."""
    stack = new_stack(tmp_path_factory.mktemp("change"))
    stack.world = World(stack.root / "world")
    assert not stack.up(BEFORE).errors
    return killed_everywhere(stack, AFTER)


def killed_everywhere(stack: Stack, program: str) -> list[Stack]:
    """What ups of the program leave that are killed at one point each, all points in order."""
    stack.write(program)
    attempts = stack.root.with_name(f"{stack.root.name}-attempts")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.local.engine.killed_up", str(stack.root), str(attempts)],
        cwd=CHECKOUT, capture_output=True, timeout=250,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr.decode()
    folders = sorted(attempts.iterdir(), key=lambda folder: int(folder.name))
    assert len(folders) > 15
    return [Stack(folder, World(folder / "world")) for folder in folders]


def copies(killed: list[Stack], target: Path) -> list[Stack]:
    """The same, for one test to go on from."""
    roots = [shutil.copytree(attempt.root, target / attempt.root.name) for attempt in killed]
    return [Stack(root, World(root / "world")) for root in roots]


def test_nothing_is_lost_or_made_twice_wherever_a_first_up_is_killed(killed_first: list[Stack], tmp_path: Path) -> None:
    for attempt in copies(killed_first, tmp_path):
        converges(attempt, BEFORE)


def test_nothing_is_lost_or_made_twice_wherever_a_changing_up_is_killed(
    killed_change: list[Stack], tmp_path: Path
) -> None:
    for attempt in copies(killed_change, tmp_path):
        converges(attempt, AFTER)


@pytest.mark.parametrize("program", [BEFORE, OTHER, ""], ids=["back", "other", "nothing"])
def test_a_killed_up_may_be_followed_by_another_program(
    killed_change: list[Stack], tmp_path: Path, program: str
) -> None:
    for attempt in copies(killed_change[::3], tmp_path):
        converges(attempt, program)


@pytest.mark.soak
@pytest.mark.parametrize("program", [BEFORE, OTHER, ""], ids=["back", "other", "nothing"])
def test_an_up_killed_anywhere_may_be_followed_by_another_program(
    killed_change: list[Stack], tmp_path: Path, program: str
) -> None:
    for attempt in copies(killed_change, tmp_path):
        converges(attempt, program)


def test_a_destroy_after_a_kill_leaves_no_orphan(killed_first: list[Stack], tmp_path: Path) -> None:
    for attempt in copies(killed_first, tmp_path):
        assert not attempt.engine().destroy().errors
        assert attempt.world.all() == {}, attempt.root.name


def test_the_journal_of_a_killed_run_holds_no_secret(killed_change: list[Stack]) -> None:
    journals = [path for attempt in killed_change for path in attempt.root.glob("state/**/*.journal")]
    assert len(journals) > 10
    assert all(b"canary" not in journal.read_bytes() for journal in journals)


def converges(attempt: Stack, program: str) -> None:
    """An up of the program is right now, judged by the world; state and world agree, and nothing is left to do."""
    point = attempt.root.name
    result = attempt.up(program)
    assert not result.errors, (point, result.errors)
    wanted = sorted(line.split('"')[1] for line in program.splitlines() if "Thing(" in line)
    assert attempt.world.names() == wanted, point
    things = {state.id: state for state in attempt.states().values() if state.type == "null:index:Thing"}
    assert attempt.world.all().keys() == things.keys(), point
    for identity, thing in attempt.world.all().items():
        assert thing["inputs"].get("value") == things[identity].inputs.get("value"), point
    assert changed(attempt.preview()) == {}, point
