"""A run says what it did, host by host; it leaves nothing behind, however it ends."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from playbooks import PLAYBOOKS
from playbooks.inventory import Inventory
from playbooks.lock import Lock
from playbooks.results import ConvergeError, Convergence, Progress, Status
from playbooks.runner import converge

from .conftest import here, nowhere, play

ROOT = Path(__file__).resolve().parents[2]
WRITE = {
    "name": "Write a file",
    "ansible.builtin.copy": {"dest": "{{ folder }}/{{ inventory_hostname }}", "content": "x"},
}
REFUSE = {
    "name": "Refuse some",
    "ansible.builtin.fail": {"msg": "no flux capacitor"},
    "when": "broken | default(false)",
}


def by_name(run: Convergence) -> dict[str, Status]:
    return {host.name: host.status for host in run.hosts}


@pytest.mark.real
def test_what_fails_on_one_host_is_told_and_the_others_are_configured(tmp_path: Path, temp_folder: Path) -> None:
    project = play(tmp_path, REFUSE, WRITE)
    hosts = (here("good"), here("bad", broken=True), nowhere("gone"))
    said: list[Progress | str] = []
    run = converge(Inventory(hosts=hosts, variables={"folder": str(tmp_path)}), project=project, say=said.append)

    assert by_name(run) == {"good": Status.CHANGED, "bad": Status.FAILED, "gone": Status.UNREACHABLE}
    assert (tmp_path / "good").exists()
    _, bad, gone = run.hosts
    assert bad.failure
    assert (bad.failure.task, bad.failure.message) == ("Refuse some", "no flux capacitor")
    assert gone.failure
    assert "Connection refused" in gone.failure.message
    assert {line.host for line in said if isinstance(line, Progress) and line.ended} == {"good", "bad", "gone"}
    assert list(temp_folder.iterdir()) == []


@pytest.mark.real
def test_a_second_run_changes_nothing_and_check_mode_changes_nothing_at_all(tmp_path: Path) -> None:
    project = play(tmp_path, WRITE)
    inventory = Inventory(hosts=(here("a"), here("b")), variables={"folder": str(tmp_path)})
    looked = converge(inventory, check=True, project=project)
    assert (looked.changed, looked.check, (tmp_path / "a").exists()) == (True, True, False)
    first = converge(inventory, project=project, limit=("a",))
    assert (by_name(first), first.hosts[0].changes) == ({"a": Status.CHANGED}, ("Write a file",))
    assert by_name(converge(inventory, project=project)) == {"a": Status.OK, "b": Status.CHANGED}


def test_a_limit_that_names_no_host_is_refused_with_the_hosts_there_are() -> None:
    with pytest.raises(ConvergeError, match=r"no host c to configure. The hosts are: a, b"):
        converge(Inventory(hosts=(here("a"), here("b"))), limit=("c",))


def test_an_inventory_without_hosts_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("something was started"))
    assert converge(Inventory(hosts=())).succeeded


def test_a_playbook_that_cannot_be_read_is_told_with_ansible_s_own_words(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("- hosts: all\n  tasks: [{no.such.module: {}}]\n")
    with pytest.raises(ConvergeError, match=r"before it had configured anything(.|\n)*no\.such\.module"):
        converge(Inventory(hosts=(here("a"),)), project=tmp_path)


@pytest.mark.real
def test_a_fault_that_a_rescue_made_good_is_no_failure(tmp_path: Path) -> None:
    rescued = {"block": [{"ansible.builtin.fail": {}}], "rescue": [{"ansible.builtin.debug": {"msg": "mended"}}]}
    assert converge(Inventory(hosts=(here("a"),)), project=play(tmp_path, rescued)).succeeded


SLEEPER = """
import sys
from pathlib import Path
from playbooks.inventory import Inventory
from playbooks.lock import Lock
from playbooks.runner import converge
from tests.playbooks.conftest import here
folder = Path(sys.argv[1])
lock = Lock(folder / "lock", "aidc converge")
converge(Inventory(hosts=(here("a"),)), project=folder, lock=lock, say=lambda line: print(line, flush=True))
"""


@pytest.fixture
def sleeper(tmp_path: Path, temp_folder: Path) -> subprocess.Popen[str]:
    """A run in the middle of a task that lasts."""
    play(tmp_path, {"name": "Last", "ansible.builtin.command": {"argv": ["sleep", "61.5"]}})
    arguments = [sys.executable, "-c", SLEEPER, str(tmp_path)]
    caller = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert caller.stdout
    assert "Last" in caller.stdout.readline()
    deadline = time.monotonic() + 20
    while not _sleeping(caller.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return caller


def _sleeping(pid: int) -> bool:
    return any("61.5" in _command(process) for process in _descendants(pid))


def _command(process: psutil.Process) -> list[str]:
    """Of one that has just ended, which it may have by now: none."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


@pytest.mark.real
def test_a_killed_caller_leaves_no_process_and_no_file(
    tmp_path: Path, temp_folder: Path, sleeper: subprocess.Popen[str]
) -> None:
    started = _descendants(sleeper.pid)
    assert len(started) > 2
    sleeper.kill()
    sleeper.wait()
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
    assert list(temp_folder.iterdir()) == []
    with Lock(tmp_path / "lock", "the next").held(pytest.fail):
        pass


@pytest.mark.real
def test_a_second_run_is_refused_while_the_first_lasts_and_names_it(
    tmp_path: Path, sleeper: subprocess.Popen[str]
) -> None:
    with (
        pytest.raises(ConvergeError, match=rf"process {sleeper.pid} \(aidc converge\) is configuring machines already"),
        Lock(tmp_path / "lock", "another").held(pytest.fail),
    ):
        pass
    sleeper.terminate()
    sleeper.wait()


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.EACCES, "Permission denied"), (errno.ENOSPC, "No space left on device")]
)
def test_a_lock_file_that_cannot_be_opened_is_named_with_the_reason_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)  # modes do not keep root out, who may run this
    with (
        pytest.raises(ConvergeError, match=rf"lock file {tmp_path}/lock cannot be opened: {reason}.*run this as that"),
        Lock(tmp_path / "lock", "a run").held(pytest.fail),
    ):
        pass


def test_a_lock_file_whose_folder_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "lock"
    with pytest.raises(ConvergeError, match=rf"{path} cannot be opened: File exists"), Lock(path, "a run").held(print):
        pass


@pytest.mark.real
def test_who_is_limited_to_some_hosts_still_finds_the_others_in_the_inventory(tmp_path: Path) -> None:
    seen = {
        "name": "Seen",
        "ansible.builtin.copy": {"dest": "{{ folder }}/seen", "content": "{{ groups.nodes | sort | join(' ') }}"},
    }
    hosts = (here("server"), *(replace(nowhere(name), groups=("nodes",)) for name in ("a", "b")))
    inventory = Inventory(hosts=hosts, variables={"folder": str(tmp_path)})
    run = converge(inventory, project=play(tmp_path, seen), limit=("server",))
    assert by_name(run) == {"server": Status.CHANGED}
    assert (tmp_path / "seen").read_text() == "a b"


@pytest.mark.real
@pytest.mark.parametrize(("inventory", "configured"), [("localhost,", ["localhost"]), ("other,", [])])
def test_the_playbook_of_the_server_runs_where_systems_manager_runs_it_and_never_on_the_controller(
    tmp_path: Path, inventory: str, configured: list[str]
) -> None:
    (monitoring,) = YAML(typ="safe").load(PLAYBOOKS / "monitoring.yml")
    told = {"ansible.builtin.debug": {"msg": "here"}}
    content = [{"hosts": monitoring["hosts"], "gather_facts": False, "tasks": [told]}]
    (tmp_path / "site.yml").write_text(json.dumps(content))
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, "-c", "local", "site.yml"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert [line.split(" ")[0] for line in run.stdout.partition("PLAY RECAP")[2].splitlines()[1:] if line] == configured
