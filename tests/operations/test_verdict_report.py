"""The report is one file that tells everything to anybody, and is written whole or not at all."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from operations.exits import OperationFailed
from operations.verdict_report import curve_lines, html, require_place, write
from tests.full_disk import full_after

from .verdict_sample import HOSTILE, verdict

GOLDEN = Path(__file__).with_name("verdict.html")
WHERE = ["It ran on one machine.", "About the nodes: they are machines."]


def page(**changed: Any) -> str:
    return html(verdict(**changed), "local", WHERE)


def test_the_report_is_this() -> None:
    """Look at what changed, then write it anew: `python -m tests.operations.test_verdict_report`."""
    assert page() == GOLDEN.read_text()


class Reader(HTMLParser):
    """Elements that are open at the end, and all that could bring in something from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.tags, self.sources = list[str](), set[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.sources += [name for name, _ in attrs if name in ("src", "href", "xlink:href", "action", "data")]
        if tag not in ("meta", "br", "link", "img", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


def test_it_needs_nothing_from_anywhere_and_names_cannot_bring_anything_in() -> None:
    text = page(reason=HOSTILE, job=HOSTILE, health_reason=HOSTILE, device_kind=HOSTILE, attention=HOSTILE)
    found = Reader(text)
    assert found.open == []
    assert found.sources == []
    assert not found.tags & {"script", "img", "link", "iframe", "object", "embed"}
    assert "url(" not in text
    assert "@import" not in text
    assert "http" not in text.replace("http-equiv", "")


def test_each_slice_has_its_own_part_and_no_name_of_a_chart_is_there_twice() -> None:
    text = html(verdict(passed=True), "local", WHERE, {1: verdict(), 0: verdict(passed=True)})
    headings = re.findall(r"<h1>(.*?) <span.*?>(PASS|FAIL)</span></h1>", text)
    assert headings == [
        ("Smoke test of local", "PASS"),
        ("Smoke test of local, TPU slice 0", "PASS"),
        ("Smoke test of local, TPU slice 1", "FAIL"),
    ]
    assert "<title>Smoke test of local: FAIL</title>" in text
    names = re.findall(r' id="(.*?)"', text)
    assert len(names) == len(set(names)) == 12
    assert Reader(text).open == []


def test_neither_account_nor_bucket_is_in_it() -> None:
    assert "123456789012" not in page()
    assert "s3://" not in page()


def test_every_chart_says_in_words_what_it_shows() -> None:
    text = page()
    described = re.findall(r'aria-labelledby="(\S+) (\S+)"', text)
    assert len(described) == 2
    for title, description in described:
        assert f'<title id="{title}">' in text
        assert f'<desc id="{description}">' in text


def test_a_verdict_without_curves_says_why_there_are_none() -> None:
    text = page(series=None, setup=None)
    assert "<svg" not in text
    assert "made before jobs kept any" in text
    assert "this verdict does not tell them" in text


def test_losses_that_never_were_numbers_are_said_and_step_times_still_drawn() -> None:
    series = verdict()["series"]
    text = page(series={**series, "loss": [None] * len(series["steps"])})
    assert "No loss of any step is finite." in text
    assert text.count('role="img"') == 1


def test_a_job_that_measured_nothing_has_a_report_too() -> None:
    text = page(series=None, setup=None, node_checks=[], nodes=[], steps=0, processes=0, reason="", finished_at="")
    assert "it took no step" in text
    assert "No node was checked." in text


def test_each_pair_of_losses_says_which_it_is() -> None:
    text = page()
    assert "<dt>validation loss</dt><dd>6.080 of the untrained model, 2.530 after the last step: " in text
    assert "<dt>training loss</dt><dd>6.000 at step 1, 2.531 at step 30: " in text


NEVER = dict.fromkeys(("loss_last", "first_step_s", "tokens_per_s", "step_time_p50_s", "step_time_p95_s"))


def test_what_a_job_that_ended_early_never_measured_is_no_number_in_the_report() -> None:
    text = page(**NEVER, steps=0, collective_time_s=None, processes=None, devices=None)
    assert "6.080 of the untrained model, – after the last step" in text
    assert "The median step takes – ms" in text
    assert "<dt>processes</dt><dd>– on " in text
    assert "<dt>devices</dt><dd>– × " in text
    assert not any(f"<dt>{what}</dt>" in text for what in ("speed", "start", "all-reduce"))


def test_the_zeros_that_failed_jobs_once_wrote_are_not_shown_as_measured() -> None:
    older = dict.fromkeys((*NEVER, "loss_first", "collective_time_s", "processes", "devices"), 0)
    assert page(**older) == page(**dict.fromkeys(older))
    assert "0.000" in page(passed=True, loss_last=0)  # a job that passed has measured it


def test_the_figures_of_the_method_are_those_of_the_job() -> None:
    from train.checks.estimate import COMPUTE, ERROR_RATE
    from train.checks.rounds import CHIPS, LOOKS

    assert (COMPUTE.harmless, COMPUTE.serious, ERROR_RATE, len(LOOKS)) == (0.015, 0.04, 0.001, 4)
    assert (CHIPS.harmless, CHIPS.serious) == (0.03, 0.05)
    text = page()
    assert "1.5 and 4 % of CPUs, 3 and 5 % of accelerators, or the stack file's tolerated_percent and 2 % more" in text
    assert "one look at one kind of work calls a sound node slow once in a thousand times" in text
    assert "a run has up to four looks at each kind" in text


def test_the_terminal_has_a_line_of_loss_and_one_of_step_times() -> None:
    loss, times = curve_lines(verdict()["series"], "utf-8")
    assert loss.startswith("train loss █")
    assert loss.endswith("6.000 to 2.531, lowest 2.531, 1 of 30 not finite")
    assert times.endswith("24 to 31 ms, median 24.4")
    assert all(line.isascii() for line in curve_lines(verdict()["series"], "ANSI_X3.4-1968"))
    assert curve_lines(None) == []
    assert curve_lines({"steps": [1], "loss": [None], "step_s": [None], "workers": []}) == []


def test_a_report_takes_the_place_of_an_older_one_and_others_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("older")
    write(file, "newer")
    assert file.read_text() == "newer"
    assert file.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("place", ["nosuch/report.html", ".", "file/report.html"])
def test_a_place_that_takes_no_report_is_refused_before_the_test_runs(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperationFailed, match="The report cannot be written to "):
        require_place(tmp_path / place)
    with pytest.raises(OperationFailed, match="The report cannot be written to "):
        write(tmp_path / place, "text")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_report_goes_into_a_pipe_and_takes_the_place_of_none(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "report.html"
    os.mkfifo(pipe)
    link.symlink_to("pipe")
    require_place(link)
    with ThreadPoolExecutor() as pool:
        reader = pool.submit(pipe.read_text)
        write(link, "text")
        assert reader.result(30) == "text"
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_a_link_to_itself_is_refused_and_stays(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.symlink_to(place)
    for refuse in (require_place, lambda file: write(file, "text")):
        with pytest.raises(OperationFailed, match=r"cannot be written to .*report\.html: "):
            refuse(place)
    assert [one.is_symlink() for one in tmp_path.iterdir()] == [True]


@pytest.mark.parametrize("name", ["x" * 300, f"{'x' * 300}/report.html"])
def test_a_name_that_is_too_long_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    for refuse in (require_place, lambda file: write(file, "text")):
        with pytest.raises(OperationFailed, match="File name too long"):
            refuse(tmp_path / name)


def test_a_name_as_long_as_names_may_be_gets_its_report(tmp_path: Path) -> None:
    file = tmp_path / ("é" * 127)
    require_place(file)
    write(file, "text")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_report_goes_to_where_a_link_leads_and_the_link_stays(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "shown").mkdir()
    target, link = tmp_path / "shown" / "report.html", tmp_path / "latest.html"
    link.symlink_to("shown/report.html")
    if is_there:
        target.write_text("older")
    require_place(link)
    write(link, "newer")
    assert link.is_symlink()
    assert target.read_text() == "newer"


def test_a_disk_that_takes_no_more_is_told_and_nothing_half_written_is_left(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("older")
    with full_after(4096), pytest.raises(OperationFailed, match=r"cannot be written to .*report\.html: File too large"):
        write(file, "x" * 10_000)
    assert file.read_text() == "older"
    assert list(tmp_path.iterdir()) == [file]


if __name__ == "__main__":
    GOLDEN.write_text(page())
