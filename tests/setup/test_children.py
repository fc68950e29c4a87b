"""Commands of the set-up are watched, told about when they fail, and ended with all that they started."""

from __future__ import annotations

import io
import os
import threading
import time
from pathlib import Path

import pytest

from setup import children
from setup.children import Children, CommandFailed, Progress, Stopped


def progress(stream: io.StringIO | None = None) -> Progress:
    return Progress("thing", stream or io.StringIO())


def test_a_commands_own_output_is_returned_and_earlier_ones_stay_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = Children()
    commands.run(["echo", "one"], log, progress())
    assert commands.run(["echo", "two"], log, progress()) == "two\n"
    assert log.read_text() == "one\ntwo\n"


def test_a_failed_command_is_told_with_its_status_and_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"ended with status 3(.|\n)*no such thing"):
        Children().run(["sh", "-c", "echo no such thing; exit 3"], tmp_path / "log", progress())


def test_a_program_that_is_not_there_is_told_without_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot start /nowhere/go: No such file"):
        Children().run(["/nowhere/go"], tmp_path / "log", progress())


def test_a_long_command_shows_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "HEARTBEAT_S", 0.1)
    said = io.StringIO()
    Children().run(["sh", "-c", "echo linking; sleep 0.6"], tmp_path / "log", progress(said), total=7)
    assert "1 of 7: linking" in said.getvalue()


def test_stopping_ends_the_command_and_what_it_started_and_lets_no_other_begin(tmp_path: Path) -> None:
    commands, pid_file = Children(), tmp_path / "pid"
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            commands.run(["sh", "-c", f"sleep 60 & echo $! > {pid_file}; wait"], tmp_path / "log", progress())
        except Stopped as stopped:
            outcome.append(stopped)

    thread = threading.Thread(target=work)
    thread.start()
    while not (pid_file.exists() and pid_file.read_text().strip()):
        time.sleep(0.01)
    commands.stop()
    thread.join(10)
    assert outcome
    assert not is_running(int(pid_file.read_text()))
    with pytest.raises(Stopped):
        commands.run(["true"], tmp_path / "log", progress())


def is_running(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except (ProcessLookupError, FileNotFoundError):
            return False
        time.sleep(0.02)
    return True
