"""`aidc up` tells the machine that watches what it does not know yet, and does not fail because of it."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local import configuration, control_plane
from local.paths import DataRoot, LocalCloudError
from operations import up as module
from operations.workplace import Workplace


class Place:
    """Stands in for a workplace: what was told and given."""

    def __init__(self, root: DataRoot) -> None:
        self.root, self.told, self.given = root, list[str](), list[str]()

    def tell(self, text: str) -> None:
        self.told.append(text)

    def give(self, data: Any, text: str) -> None:
        self.given.append(text)


@pytest.fixture
def place(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An `up` that succeeds, of a data centre with one cluster."""
    opened = SimpleNamespace(
        lost_aws=False, losses=(), engine=SimpleNamespace(up=lambda refresh: SimpleNamespace(errors=()))
    )
    summary = SimpleNamespace(passed=True, as_data=dict, as_text=lambda: "done")
    monkeypatch.setattr(module, "check_configuration", lambda place: None)
    monkeypatch.setattr(module, "require_local_account", lambda place, verb: None)
    monkeypatch.setattr(module, "session", lambda place, needs_cloud: nullcontext(opened))
    monkeypatch.setattr(module.verdicts, "are_lost", lambda place: False)
    monkeypatch.setattr(module.report, "require_success", lambda result, logs: None)
    monkeypatch.setattr(module, "own_clusters", lambda place: [])
    monkeypatch.setattr(module.nodes, "nodes", lambda root, planes: ())
    monkeypatch.setattr(module, "Summary", SimpleNamespace(of=lambda *_: summary))
    monkeypatch.setattr(control_plane, "clusters", lambda root: [SimpleNamespace(region="us-east-1", name="dc")])
    return Place(DataRoot(tmp_path))


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_lost_verdict_runs_its_job_again(place: Place, monkeypatch: pytest.MonkeyPatch, is_lost: bool) -> None:
    again: list[object] = []
    monkeypatch.setattr(module.verdicts, "are_lost", lambda place: is_lost)
    monkeypatch.setattr(module.smoke_test, "run_again_after_loss", again.append)
    monkeypatch.setattr(configuration, "tell_of_nodes", lambda *_: None)
    module.up(cast(Workplace, place))
    assert again == [place] * is_lost


def test_each_up_tells_the_watcher_what_it_does_not_know_yet(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(configuration, "tell_of_nodes", lambda root, region, name: told.append((region, name)))
    module.up(cast(Workplace, place))
    assert told == [("us-east-1", "dc")]
    assert place.told == []


def test_a_sick_watcher_is_a_warning_of_an_up_that_succeeds(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise LocalCloudError("server: unreachable")

    monkeypatch.setattr(configuration, "tell_of_nodes", refuse)
    module.up(cast(Workplace, place))
    (warning,) = place.told
    assert warning.startswith("Warning: the machine that watches the nodes of dc could not be told")
    assert warning.endswith("server: unreachable")
    assert place.given == ["done"]
