"""The Pulumi CLI's own words are left to it; ours are added where its run tried a smoke test."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.paths import DataRoot
from operations import pulumi_cli
from operations.exits import OperationFailed
from operations.workplace import Output, Workplace


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Workplace]:
    """Whose failed job was asked for, where every `pulumi` fails."""
    found = list[Workplace]()
    monkeypatch.setattr(pulumi_cli.shutil, "which", lambda _name: "/bin/false")
    monkeypatch.setattr(pulumi_cli.moto, "ensure", lambda _root: None)
    monkeypatch.setattr(pulumi_cli, "environment_for_cli", lambda *_: {})
    monkeypatch.setattr(pulumi_cli.verdicts, "tell_failed", found.append)
    return found


@pytest.mark.parametrize("verb", ["preview", "refresh", "destroy"])
def test_a_verb_that_runs_no_job_tells_of_none_that_failed_before(
    asked: list[Workplace], data_root: Path, verb: str
) -> None:
    with pytest.raises(OperationFailed, match=f"`pulumi {verb}` ended with status 1"):
        pulumi_cli.run(Workplace("local", Output.TEXT, DataRoot(data_root)), verb)
    assert asked == []


def test_an_up_that_failed_tells_of_its_job(asked: list[Workplace], data_root: Path) -> None:
    place = Workplace("local", Output.TEXT, DataRoot(data_root))
    with pytest.raises(OperationFailed, match="`pulumi up` ended with status 1"):
        pulumi_cli.run(place, "up")
    assert asked == [place]
