"""What the tables of the training job are made of is read from what the job says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import train_job
from benchmarks.tables import Failed

LOG = """train: resumed from the checkpoint of step 60; it goes on to the bit
train: step 61: loss 2.7, 30,000 tokens/s, 4.10 s after the process started
train: step 62: loss 2.6, 30,000 tokens/s
"""


def test_steps_are_those_that_the_log_tells_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "0.log").write_text(LOG)
    assert train_job._steps(tmp_path) == [61, 62]


def test_a_job_that_fails_gives_no_figure_but_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Failed, match="the training job failed"):
        train_job._verdict_after(tmp_path)
