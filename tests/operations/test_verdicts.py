"""A failed smoke test shows its rows as a passed one does, and nothing that an earlier job stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from operations import verdicts
from operations.outputs import last_slice_verdicts, last_verdict
from operations.workplace import Workplace

from .smoke_test_jobs import NAME, REASON, TPU_URN, URN, failed, job, keep, on_slice
from .verdict_sample import verdict


def test_the_rows_of_a_failed_job_are_what_it_stored(place: Workplace, bucket: dict[str, bytes]) -> None:
    keep(place, job())
    found = verdicts.of_failed_jobs(place)[None]
    assert [row["health"] for row in found["node_checks"]] == ["PASS", "FAIL", "PASS"]
    assert len(found["series"]["steps"]) == 30
    assert last_verdict(place) == found
    assert verdicts.of_failed_jobs(place, failed("urn:of:something:else")) == {}  # this run's failure is another
    assert verdicts.of_failed_jobs(place, failed(URN)) == {None: found}


@pytest.mark.parametrize(
    "stored",
    [
        b"", b"{", b"[]", b"null", b'{"passed": true}', b"\xff\xfe",
        json.dumps(verdict(finished_at="2026-11-24T18:37:59Z")).encode(),  # of the job before
        json.dumps(verdict(finished_at="2026-11-24T18:39:00")).encode(),  # of no known time zone
        json.dumps(verdict(finished_at="")).encode(),
        json.dumps(verdict(series={"steps": [1, 2], "loss": [1.0], "step_s": [], "workers": []})).encode(),
    ],
)  # fmt: skip
def test_what_is_no_verdict_of_this_job_is_none_at_all(
    place: Workplace, bucket: dict[str, bytes], stored: bytes
) -> None:
    (address,) = bucket
    made = verdicts.Job(URN, None, NAME, "/jobs/x", address, datetime(2026, 11, 24, 18, 38, tzinfo=UTC), REASON, "")
    assert verdicts.stored(place, made) is not None
    bucket[address] = stored
    assert verdicts.stored(place, made) is None


def test_of_a_failed_job_that_stored_nothing_good_its_failure_is_told_and_no_older_verdict(
    place: Workplace, bucket: dict[str, bytes]
) -> None:
    keep(place, job())
    for stored in (b"", json.dumps(verdict(passed=True)).encode()):  # which a job that failed cannot have said last
        bucket[next(iter(bucket))] = stored
        found = verdicts.of_failed_jobs(place)[None]
        assert (found["passed"], found["reason"], found["node_checks"]) == (False, REASON, [])


def test_other_jobs_those_that_passed_and_those_that_are_replaced_have_no_failure(
    place: Workplace, bucket: dict[str, bytes]
) -> None:
    silent = {
        "metadata": {"name": "silent", "namespace": "smoke-test"},
        "spec": {"template": {"spec": {"containers": [{"env": []}]}}},
    }
    keep(place, job(urn=f"{URN}-other"), job(urn=f"{TPU_URN}x"))  # trainings by other names
    keep(place, job(urn=f"{TPU_URN}0", inputs={}), job(urn=f"{TPU_URN}1", inputs=silent), job(delete=True))
    keep(place, on_slice(2))
    assert verdicts.of_failed_jobs(place) == {}
    assert last_verdict(place) is None


def test_a_slice_that_failed_is_told_of_itself_and_hides_no_verdict_of_the_data_centre(
    place: Workplace, bucket: dict[str, bytes]
) -> None:
    bucket[next(iter(bucket))] = json.dumps(verdict(passed=True, reason="the loss fell")).encode()
    keep(place, on_slice(1, "no chip answers"), job(init_errors=()), on_slice(0))
    found = last_verdict(place)
    assert found
    assert (found["passed"], found["reason"]) == (True, "the loss fell")  # though the run's outputs were never told
    first, second = last_slice_verdicts(place)
    assert first is None
    assert second
    assert (second["passed"], second["reason"]) == (False, "no chip answers")
    assert list(verdicts.of_failed_jobs(place)) == [1]


def test_a_slice_has_no_part_in_the_failure_of_the_data_centre_s_own_job(
    place: Workplace, bucket: dict[str, bytes]
) -> None:
    keep(place, on_slice(0, "no chip answers"), job())
    assert {number: found["reason"][:15] for number, found in verdicts.of_failed_jobs(place).items()} == {
        None: "ip-10-0-1-18 is", 0: "no chip answers",
    }  # fmt: skip
    assert [found["reason"] for found in verdicts.of_failed_jobs(place, failed(f"{TPU_URN}0")).values()] == [
        "no chip answers"
    ]


def test_an_older_verdict_among_the_outputs_gives_way_to_that_of_the_job_that_is_there(
    place: Workplace, bucket: dict[str, bytes]
) -> None:
    keep(place, job(init_errors=()))
    older, same = {"finished_at": "2026-11-24T18:37:59Z"}, {"finished_at": verdict()["finished_at"]}
    found = verdicts.last(place, {None: older})[None]
    assert found
    assert found["job"] == NAME
    assert verdicts.last(place, {None: same}) == {None: same}
    bucket.clear()
    assert verdicts.last(place, {None: older}) == {None: older}  # better than nothing: it says of when it is


def test_a_verdict_is_lost_where_its_job_passed_and_the_bucket_has_none_of_it(
    place: Workplace, bucket: dict[str, bytes]
) -> None:
    assert not verdicts.are_lost(place)  # there was no job
    keep(place, job(init_errors=()))
    assert not verdicts.are_lost(place)
    bucket.clear()
    assert verdicts.are_lost(place)
    keep(place, job())  # which is made again by itself
    assert not verdicts.are_lost(place)


def test_where_nothing_runs_nothing_is_started_to_ask_it(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts.moto, "ensure", lambda _root: pytest.fail("a cloud was started"))
    keep(place, job())
    found = verdicts.of_failed_jobs(place)[None]
    assert found["reason"] == REASON
