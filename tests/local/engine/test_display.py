"""A run as plain lines, word for word."""

from __future__ import annotations

import io
import textwrap

import pytest

from local.engine import display
from local.engine.display import PlainDisplay, change_text, short
from local.engine.events import (
    Command,
    Diagnostic,
    OutputsReady,
    PropertyChange,
    Result,
    RunFinished,
    RunStarted,
    Step,
    StepFinished,
    StepStarted,
)  # fmt: skip

URN = "urn:pulumi:test::proj::null:index:Thing::{}"


def result(command: Command, *errors: Diagnostic, interrupted: bool = False, **changes: int) -> Result:
    return Result(
        command=command, changes=changes, steps=(), outputs={}, raw_outputs={}, errors=errors, duration_s=1.25,
        phases={}, types={}, interrupted=interrupted,
    )  # fmt: skip


def step(name: str, op: str, *changes: PropertyChange, duration_s: float = 0.0, error: str = "") -> StepFinished:
    return StepFinished(Step(URN.format(name), "null:index:Thing", op, changes, duration_s, error))  # pyright: ignore[reportArgumentType]


def test_an_up_reads_as_one_line_a_change_and_none_for_what_stays() -> None:
    stream = io.StringIO()
    shown = PlainDisplay(stream)
    error = Diagnostic("error", "no room", URN.format("d"), "main.py", 3)
    for event in (
        RunStarted("up", "proj", "test", 4),
        step("a", "create", duration_s=1.5),
        step("b", "update", PropertyChange("tags.k", "old", None), PropertyChange("p", "[secret]", "[secret]")),
        step("c", "same"),
        Diagnostic("info", "printed by the program"),
        Diagnostic("info", "1 of 2 pods", URN.format("c"), "main.py", 7),
        Diagnostic("warning", "mind the gap", URN.format("b")),
        step("d", "create", error="no room"),
        error,
        OutputsReady({"name": "x", "pools": [1, 2]}),
        RunFinished(result("up", error, same=1, create=1, update=1, delete=0)),
    ):
        shown.show(event)
    assert stream.getvalue() == textwrap.dedent("""\
        up of proj/test
          + null:index:Thing a (1.5 s)
          ~ null:index:Thing b
              tags.k: old → null
              p: [secret] → [secret]
          printed by the program
          c: 1 of 2 pods
        warning: urn:pulumi:test::proj::null:index:Thing::b: mind the gap
          ✗ null:index:Thing d failed
        error: urn:pulumi:test::proj::null:index:Thing::d (main.py:3): no room
          name: x
          pools: [1, 2]
        up failed in 1.2 s: 1 unchanged, 1 created, 1 updated
        """)


@pytest.mark.parametrize(
    ("ended", "line"),
    [
        (result("preview", create=2, replace=1), "preview done in 1.2 s: 2 to create, 1 to replace"),
        (result("destroy", interrupted=True, delete=3), "destroy interrupted in 1.2 s: 3 deleted"),
        (result("refresh"), "refresh done in 1.2 s: nothing there"),
    ],
)
def test_the_last_line_says_what_happened_or_would(ended: Result, line: str) -> None:
    stream = io.StringIO()
    PlainDisplay(stream).show(RunFinished(ended))
    assert stream.getvalue() == line + "\n"


def test_what_takes_long_is_told_once_something_else_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(display.time, "monotonic", lambda: now)
    stream = io.StringIO()
    shown = PlainDisplay(stream, quiet_s=2.0)
    shown.show(StepStarted(URN.format("slow"), "null:index:Thing", "create"))
    now = 105.0
    shown.show(StepStarted(URN.format("next"), "null:index:Thing", "create"))
    shown.show(StepStarted(URN.format("third"), "null:index:Thing", "create"))
    assert stream.getvalue() == "  … null:index:Thing slow (5 s)\n"


def test_a_long_value_is_cut_to_one_line() -> None:
    assert short("x" * 80) == "x" * 80
    assert short("x" * 81) == "x" * 79 + "…"
    assert short({"ö": None}) == '{"ö": null}'


def test_two_long_values_are_shown_where_they_begin_to_differ() -> None:
    old, new = ("a" * 200 + middle + "z" * 200 for middle in ("one", "two"))
    shown = change_text(PropertyChange("policy", old, new))
    assert shown == f"policy: …{'a' * 25}one{'z' * 50}… → …{'a' * 25}two{'z' * 50}…"


def test_a_value_that_only_grows_at_its_end_shows_the_end() -> None:
    shown = change_text(PropertyChange("p", [1] * 40, [1] * 40 + [2]))
    old, new = shown.removeprefix("p: ").split(" → ")
    assert (old[-2:], new[-5:]) == ("1]", "1, 2]")


def test_an_early_difference_is_shown_from_the_beginning() -> None:
    assert change_text(PropertyChange("p", "old" + "x" * 90, "new")) == f"p: old{'x' * 76}… → new"
