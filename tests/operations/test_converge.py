"""`aidc converge` says how each host stands; its status tells whether all are configured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local import configuration
from local.machines import Machine
from operations import converge
from operations.cli import main
from playbooks.inventory import Inventory
from playbooks.results import ConvergeError, Convergence, Failure, HostResult, Progress, Status

GOOD = HostResult(name="a", status=Status.CHANGED, tasks=7, changes=("base: Install chrony",))
BAD = HostResult(
    name="b", status=Status.FAILED, tasks=3,
    failure=Failure(task="base: Start", message="no clock", journal="Journal of chrony.service:\nchronyd[7]: sad"),
)  # fmt: skip


class Runner:
    """Answers with these hosts, and remembers what it was asked."""

    def __init__(self, *hosts: HostResult) -> None:
        self.hosts = hosts
        self.asked: dict[str, Any] = {}
        self.inventory = Inventory(hosts=())

    def __call__(self, inventory: Inventory, **asked: Any) -> Convergence:
        self.inventory, self.asked = inventory, asked
        asked["say"](Progress(host="a", tasks=1, changes=0, doing="base: Install chrony"))
        return Convergence(hosts=self.hosts, seconds=1.5, check=asked["check"])


@pytest.fixture
def machines(tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "inventory.yaml"
    path.write_text("hosts:\n  a: {address: 192.0.2.1}\n  b: {address: 192.0.2.2}\n")
    return str(path)


def use(monkeypatch: pytest.MonkeyPatch, runner: Any) -> None:
    monkeypatch.setattr(converge, "run", runner)


def test_a_host_that_failed_is_named_with_its_task_message_and_journal_and_the_status_is_1(
    machines: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, Runner(GOOD, BAD))
    assert main(["converge", "--inventory", machines]) == 1
    shown = capsys.readouterr()
    assert "a  changed" in shown.out
    assert "1 of 2 hosts were not configured:\nb: failed: base: Start: no clock\nJournal of chrony" in shown.err


def test_hosts_that_are_all_configured_are_clean_and_stdout_is_nothing_but_json_where_asked_for(
    machines: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, Runner(GOOD))
    assert main(["converge", "--inventory", machines, "--output", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["hosts"][0]["status"] == "changed"
    assert shown["hosts"][0]["changes"] == ["base: Install chrony"]


def test_check_and_limit_reach_the_runner(machines: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(GOOD)
    use(monkeypatch, runner)
    assert main(["converge", "-i", machines, "--check", "--limit", "a", "-l", "b"]) == 0
    assert (runner.asked["check"], runner.asked["limit"]) == (True, ("a", "b"))
    assert runner.inventory.names == ("a", "b")


def test_a_check_says_what_would_change_and_not_that_it_did(
    machines: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, Runner(GOOD))
    main(["converge", "-i", machines, "--check"])
    shown = capsys.readouterr().out
    assert "would change" in shown
    assert "1 changed" not in shown


def test_what_cannot_be_run_at_all_is_one_sentence(
    machines: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConvergeError("process 7 (aidc up) is configuring machines already.")

    use(monkeypatch, refuse)
    assert main(["converge", "-i", machines]) == 1
    assert capsys.readouterr().err.strip() == "process 7 (aidc up) is configuring machines already."


def test_a_stack_that_is_not_up_has_no_machines_and_says_what_makes_them(
    data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["converge"]) == 1
    assert "`aidc up` makes its machines" in capsys.readouterr().err
    assert not data_root.exists()


def test_a_machine_that_is_dead_is_not_entered_and_stays_known_to_who_watches_it(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def machine(name: str, nodegroup: str, running: bool = True) -> Machine:
        tags = {} if nodegroup else {"ai-datacenter:monitoring": "dc"}
        return Machine(name, "dc", "us-east-1", nodegroup, "192.0.2.1", tags, Path("key"), "", running)

    found = [machine("a", "dc-cpu"), machine("b", "dc-cpu", running=False), machine("server", "")]
    outputs = {"datacenter": {"cluster": {"name": "dc"}, "region": "us-east-1"}}
    monkeypatch.setattr(converge, "stack_outputs", lambda place: outputs)
    monkeypatch.setattr(configuration, "list_machines", lambda root: found)
    runner = Runner(GOOD)
    use(monkeypatch, runner)
    assert main(["converge"]) == 0
    assert runner.asked["limit"] == ("a", "server")
    assert {host.name: host.groups[0] for host in runner.inventory.hosts} == {
        "a": "nodes",
        "b": "nodes",
        "server": "monitoring",
    }
