"""A supervised child is neither held up by what it says nor left without its last words."""

from __future__ import annotations

from pathlib import Path

import pytest

from playbooks.supervision import events_of


@pytest.mark.timeout(30)
def test_a_child_may_say_more_than_a_pipe_holds_and_the_end_of_it_is_kept(temp_folder: Path) -> None:
    worked, ended = list(events_of("tests.playbooks.chatty", {"lines": 100_000}))
    assert worked == {"event": "worked"}
    assert ended["status"] == 0
    assert ended["errors"].endswith("warning\nthe last words")
    assert len(ended["errors"]) == 4000
    assert list(temp_folder.iterdir()) == []
