"""`make down` leaves nothing, whatever state things are in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from local import vehicle
from local.engine.store.lock import stack_lock
from local.machines import rules
from local.paths import DataRoot
from local.processes import alive, spawn
from operations import down
from operations.workplace import Workplace
from tests.full_disk import full_after


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
    assert "Nothing is left" in capsys.readouterr().err


def test_a_run_under_way_is_named_and_loses_nothing(place: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    process = spawn(["sleep", "60"], record=place.root.path / "x.process.json", log=place.root.path / "log")
    with stack_lock(place.root.state / ".pulumi/locks/organization/ai-datacenter/local", "up", print):
        assert down.down(place) == 1
    assert f"process {os.getpid()} (`up`)" in capsys.readouterr().err
    assert alive(process)
    assert down.down(place) == 0
    assert not alive(process)


@pytest.mark.usefixtures("capsys")  # what is told goes to no file
def test_a_disk_that_takes_no_more_keeps_nothing_up(place: Workplace) -> None:
    with stack_lock(place.root.state / ".pulumi/locks/organization/ai-datacenter/local", "up", print):
        pass
    with full_after(0):
        assert down.down(place) == 0
    assert not place.root.path.exists()


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
