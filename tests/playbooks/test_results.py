"""What a failure says: the task that failed, not the one that told about it, and the journal apart."""

from __future__ import annotations

from playbooks.results import Record, Status

STATS = {"event": "stats", "failures": {"a": 1}, "dark": {}}


def test_a_unit_that_does_not_run_is_told_by_the_task_that_saw_it_with_its_journal() -> None:
    record = Record(("a",))
    record.take({"event": "failed", "host": "a", "task": "base: See that chrony.service runs", "message": "failed"})
    message = "chrony.service does not run: failed\nJournal of chrony.service:\nchronyd[7]: no clock"
    record.take({"event": "failed", "host": "a", "task": "base: Fail with what it said", "message": message})
    record.take(STATS)
    failure = record.result("a").failure
    assert failure
    assert failure.task == "base: See that chrony.service runs"
    assert failure.message == "chrony.service does not run: failed"
    assert failure.journal == "Journal of chrony.service:\nchronyd[7]: no clock"


def test_a_host_that_no_play_concerns_is_not_called_configured() -> None:
    record = Record(("a", "b"))
    record.take({"event": "ok", "host": "a", "task": "t", "changed": True})
    record.take({"event": "stats", "failures": {}, "dark": {}})
    assert record.result("a").status is Status.CHANGED
    assert record.result("b").status is Status.FAILED


def test_a_skipped_task_is_not_counted_as_one_that_ran() -> None:
    record = Record(("a",))
    for kind in ("started", "skipped", "started", "ok"):
        record.take({"event": kind, "host": "a", "task": "t"})
    assert record.result("a").tasks == 1
