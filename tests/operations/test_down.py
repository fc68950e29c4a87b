"""`make down` leaves nothing, whatever state things are in."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.paths import DataRoot
from local.processes import alive, spawn
from operations import down
from operations.workplace import Output, Workplace


@pytest.fixture
def place(data_root: Path) -> Workplace:
    return Workplace("local", Output.TEXT, DataRoot.of_environment())


def test_nothing_up_is_no_error(place: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    assert down.down(place) == 0
    assert "Nothing is up" in capsys.readouterr().err


def test_a_damaged_state_does_not_keep_a_process_or_a_file(
    place: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = place.root.state / ".pulumi" / "stacks" / "ai-datacenter" / "local.json"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("{ not json")
    root = place.root.path
    process = spawn(["sleep", "60"], record=root / "x.process.json", log=root / "log")
    assert down.down(place) == 0
    assert not root.exists()
    assert not alive(process)
    assert "local" in capsys.readouterr().err


def test_every_stack_with_a_state_or_an_unfinished_run_is_found(place: Workplace) -> None:
    book = place.root.state / ".pulumi"
    for path in (book / "stacks/ai-datacenter/local.json", book / "journals/ai-datacenter/other.journal"):
        path.parent.mkdir(parents=True)
        path.touch()
    assert down.stacks(place.root) == ["local", "other"]
