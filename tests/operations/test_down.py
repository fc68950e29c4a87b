"""`make down` leaves nothing, whatever state things are in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from local import vehicle
from local.machines import rules
from local.paths import DataRoot
from local.processes import alive, spawn
from operations import down
from operations.workplace import Workplace


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


@pytest.mark.parametrize(("resources", "told"), [([], False), ([{"urn": "a"}], True)])
def test_a_stack_that_was_destroyed_is_not_missed_when_its_file_is_gone(
    place: Workplace, capsys: pytest.CaptureFixture[str], resources: list[object], told: bool
) -> None:
    state = place.root.state / ".pulumi" / "stacks" / "ai-datacenter" / "gone.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"version": 3, "checkpoint": {"latest": {"resources": resources}}}))
    assert down.down(place) == 0
    assert ("`gone`" in capsys.readouterr().err) == told


@pytest.fixture
def broken_podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A podman on a root's PATH that refuses everything; the file that says what it was asked."""
    asked, program = tmp_path / "asked", tmp_path / "bin" / "podman"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>{asked}\necho "Error: database is locked" >&2\nexit 125\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(vehicle, "remove_server_address", lambda _root: None)
    monkeypatch.setattr(rules, "remove_left_over", lambda: None)
    return asked


def record(root: DataRoot, kind: str) -> None:
    root.path.mkdir(parents=True, exist_ok=True)
    (root.path / vehicle.FILE).write_text(json.dumps({"kind": kind, "reason": "", "address": "127.0.0.1"}))


def test_a_broken_podman_is_not_even_asked_where_nodes_are_processes(place: Workplace, broken_podman: Path) -> None:
    record(place.root, "processes")
    process = spawn(["sleep", "60"], record=place.root.path / "x.process.json", log=place.root.path / "log")
    assert down.down(place) == 0
    assert not alive(process)
    assert not place.root.path.exists()
    assert not broken_podman.exists()


@pytest.mark.usefixtures("broken_podman")
def test_a_broken_podman_keeps_nothing_else_up_where_nobody_knows_what_nodes_are(place: Workplace) -> None:
    assert down.down(place) == 0
    place.root.path.mkdir(parents=True)
    process = spawn(["sleep", "60"], record=place.root.path / "x.process.json", log=place.root.path / "log")
    assert down.down(place) == 0
    assert not alive(process)
    assert not place.root.path.exists()


@pytest.mark.usefixtures("broken_podman")
def test_machines_that_podman_does_not_remove_are_told_once_all_else_is_stopped(
    place: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    record(place.root, "machines")
    process = spawn(["sleep", "60"], record=place.root.path / "x.process.json", log=place.root.path / "log")
    assert down.down(place) == 1
    assert not alive(process)
    assert (place.root.path / vehicle.FILE).exists(), "the next `make down` has to know that there are machines"
    said = capsys.readouterr().err
    assert "database is locked" in said
    assert "run `make down` again" in said


def test_every_stack_with_a_state_or_an_unfinished_run_is_found(place: Workplace) -> None:
    book = place.root.state / ".pulumi"
    for path in (book / "stacks/ai-datacenter/local.json", book / "journals/ai-datacenter/other.journal"):
        path.parent.mkdir(parents=True)
        path.touch()
    assert down.stacks(place.root) == ["local", "other"]
