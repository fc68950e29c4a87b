"""Machines are made where they can be; whatever is in their way leaves processes, for a reason that is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from setup import __main__ as program
from setup import for_machines, images, packages, setback
from setup.children import Children, CommandFailed, Progress
from setup.host import MACHINES, NODES, PROCESSES, Host
from setup.machine import GIB, Machine
from setup.step import NoMachines, SetupError, Site, Step

ABLE = Host(wanted="", uid=0, capabilities=-1, missing=(), installs=True)
LARGE = Machine(memory_bytes=16 * GIB, disk_bytes=50 * GIB, has_ensurepip=True, has_pip=True)


Run = Callable[..., bool]


class Steps:
    """A common step, one that only machines need, and the store; each may be told to fail. Counts what is built."""

    def __init__(self) -> None:
        self.built: list[str] = []
        self.failing: set[str] = set()
        self.common, self.machine, self.store = (self._step(name) for name in ("venv", "machine", "store"))

    def _step(self, name: str) -> Step:
        def build(_folder: Path, site: Site, _progress: Progress) -> None:
            site.children.require_running()
            self.built.append(name)
            if name in self.failing:
                raise CommandFailed(f"`{name}` ended with status 1. The end of /cache/{name}/setup.log:\n    no luck")

        return Step(name, (), (), build)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    steps = Steps()
    monkeypatch.setattr(for_machines, "steps", lambda _checkout: [steps.machine])
    monkeypatch.setattr(images, "workload_store", lambda _checkout: steps.store)
    monkeypatch.setattr(images, "try_again", lambda _site, _stream: None)
    monkeypatch.setattr(images, "refusal", lambda _checkout, _cache: None)
    return steps


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def run(steps: Steps, cache: Path) -> Run:
    """One run of the set-up, which has commands of its own."""

    def once(host: Host = ABLE, here: Machine = LARGE) -> bool:
        steps.built.clear()
        return for_machines.make([steps.common], host, here, Site(cache, cache.parent, Children()))

    return once


def test_a_host_that_can_gets_all_of_it_once(steps: Steps, run: Run) -> None:
    assert not run()
    assert sorted(steps.built) == ["machine", "store", "venv"]
    assert run()
    assert steps.built == []


def test_an_ordinary_user_gets_what_processes_need_and_is_asked_for_nothing(steps: Steps, run: Run) -> None:
    assert not run(replace(ABLE, uid=1000, missing=("podman",)))
    assert steps.built == ["venv"]


def test_machines_that_are_asked_for_and_cannot_be_stop_the_set_up(run: Run) -> None:
    with pytest.raises(SetupError, match="machines need root"):
        run(replace(ABLE, uid=1000, wanted=MACHINES))


@pytest.mark.parametrize("failing", ["machine", "store"])
def test_a_step_of_machines_that_fails_leaves_processes_and_is_not_tried_again_that_day(
    steps: Steps, run: Run, cache: Path, capsys: pytest.CaptureFixture[str], failing: str
) -> None:
    steps.failing.add(failing)
    assert not run()
    assert steps.common.is_done(cache)
    said = capsys.readouterr().err
    assert f"Nodes will be processes: The step `{failing}` failed" in said
    assert f"{NODES}={MACHINES} make setup" in said, "how to try again"
    kept = setback.recall(cache)
    assert kept
    assert kept.reason.endswith(f"`{failing}` ended with status 1. See /cache/{failing}/setup.log")
    assert run()
    assert steps.built == []
    assert "Nodes will be processes" in capsys.readouterr().err
    steps.failing.clear()
    assert not run(replace(ABLE, wanted=MACHINES))
    assert failing in steps.built
    assert setback.recall(cache) is None


def test_a_step_that_every_data_centre_needs_fails_as_itself(steps: Steps, run: Run, cache: Path) -> None:
    steps.failing.add("venv")
    with pytest.raises(SetupError, match="The step `venv` failed"):
        run()
    assert setback.recall(cache) is None


def test_a_step_of_machines_that_fails_where_they_are_asked_for_stops_the_set_up(steps: Steps, run: Run) -> None:
    steps.failing.add("machine")
    with pytest.raises(SetupError, match=rf"(?s)`machine` failed.*{NODES}={PROCESSES} make up"):
        run(replace(ABLE, wanted=MACHINES))


def test_a_disk_that_is_large_enough_for_processes_only_is_looked_at_every_time(
    steps: Steps, run: Run, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "install", lambda *_: pytest.fail("nothing is installed that cannot be used"))
    assert not run(here=replace(LARGE, disk_bytes=9 * GIB))
    assert steps.built == ["venv"]
    kept = setback.recall(cache)
    assert kept
    assert "13 GiB of free disk" in kept.reason


def test_once_there_is_room_machines_are_made(steps: Steps, run: Run) -> None:
    run(here=replace(LARGE, disk_bytes=9 * GIB))
    assert not run(here=replace(LARGE, disk_bytes=7 * GIB)), "what is made by now needs no room again"
    assert sorted(steps.built) == ["machine", "store"]


def test_packages_that_cannot_be_installed_are_tried_once_a_day(
    steps: Steps, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[str, ...]] = []

    def install(names: tuple[str, ...], _site: Site) -> None:
        tried.append(names)
        raise NoMachines("podman could not be installed: no route to host")

    monkeypatch.setattr(packages, "install", install)
    host = replace(ABLE, missing=("podman",))
    for _ in range(3):
        run(host)
    assert len(tried) == 1
    assert steps.common.name not in steps.built
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 25 * 3600)
    run(host)
    assert len(tried) == 2


def test_a_record_that_is_damaged_or_of_another_time_keeps_nobody(cache: Path) -> None:
    setback.remember(cache, "no", for_a_day=True)
    (record,) = cache.iterdir()
    for damaged in ("{", "[]", "{}", '{"reason": "no", "until": "tomorrow"}'):
        record.write_text(damaged)
        assert setback.recall(cache) is None
    assert not setback.Setback("a clock that was years ahead wrote this", time.time() + 1e8).holds()


@pytest.mark.parametrize(
    ("wanted", "asks", "expected"), [("", False, False), ("", True, True), (MACHINES, False, True)]
)
def test_nothing_is_installed_unless_somebody_asks_for_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, asks: bool, expected: bool
) -> None:
    asked: list[bool] = []
    venv = Step("venv", (), (), lambda *_: None)
    monkeypatch.setattr(Host, "here", lambda: replace(ABLE, wanted=wanted, missing=("podman",)))
    monkeypatch.setattr(Machine, "here", lambda _cache: LARGE)
    monkeypatch.setattr(program, "all_steps", lambda _checkout: [venv])
    monkeypatch.setattr(for_machines, "make", lambda *_: asked.append(True))
    monkeypatch.setattr(packages, "install", lambda *_: pytest.fail("unasked"))
    program.make_ready(Site(tmp_path / "cache", tmp_path, Children()), machines=asks)
    assert bool(asked) is expected


def test_telling_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert program.main(["--tell"]) == 1
    assert "`make setup` makes it" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
