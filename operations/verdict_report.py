"""A smoke test's verdict as one HTML file that needs nothing else, and as some lines of a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from local.files import require_room, write_atomically
from operations import curves
from operations.exits import OperationFailed

if TYPE_CHECKING:
    import jinja2

    from components.outputs import Series

TEMPLATE = "verdict.html.j2"
_CHECKS = {
    "strict": "A node that is slow, or of which that is not known, ends the job.",
    "report": "A slow node is told and does not fail the job.",
    "off": "No speed was compared before training.",
}


def curve_lines(series: Mapping[str, Any] | None, encoding: str | None = None) -> list[str]:
    """Training loss and step times as a line each; nothing of a verdict without curves.

    Args:
        encoding: of the terminal; default that of stdout. What is not UTF-8 gets ASCII.
    """
    if not series:
        return []
    is_utf8 = (encoding or sys.stdout.encoding or "").lower().replace("-", "").startswith("utf8")
    blocks = curves.BLOCKS if is_utf8 else curves.ASCII
    lines = list[str]()
    losses = [one for one in series["loss"] if one is not None]
    if losses:
        bad = len(series["loss"]) - len(losses)
        gaps = f", {bad} of {len(series['loss'])} not finite" if bad else ""
        told = f"{losses[0]:.3f} to {losses[-1]:.3f}, lowest {min(losses):.3f}{gaps}"
        lines.append(f"train loss {curves.spark(series['loss'], blocks)}  {told}")
    times = [1e3 * one for one in series["step_s"] if one is not None]
    if times:
        spread = f"{min(times):,.3g} to {max(times):,.3g} ms, median {median(times):,.3g}"
        lines.append(f"step time  {curves.spark(series['step_s'], blocks)}  {spread}")
    return lines


def html(
    found: Mapping[str, Any], stack: str, realised: Sequence[str], slices: Mapping[int, Mapping[str, Any]] | None = None
) -> str:
    """The report.

    Args:
        found: the verdict.
        stack: what it is of; empty where nobody knows.
        realised: sentences on what was real and what was emulated where it ran.
        slices: the verdicts of TPU slices, where there are any.
    """
    own, others = _part(found), sorted((slices or {}).items())
    return _template().render(
        parts=[own, *(_part(one, f", TPU slice {number}", f"-{number}") for number, one in others)],
        stack=stack,
        realised=realised,
        width=curves.WIDTH,
        height=curves.HEIGHT,
    )


@cache
def _template() -> jinja2.Template:
    """Compiled once a process: that takes longer than to make a report of it."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(TEMPLATE)


def _part(found: Mapping[str, Any], what: str = "", chart_suffix: str = "") -> dict[str, Any]:
    """What the template tells of one verdict: ``what`` is of, and what its charts' names end in."""
    from components.outputs import Verdict  # pydantic takes a while to import

    verdict = Verdict.model_validate(found)
    series = verdict.series
    losses = zip(series.steps, series.loss, strict=True) if series else ()
    return {
        "verdict": verdict,
        "what": what,
        "id": chart_suffix,
        "checks": _CHECKS.get(verdict.setup.checks, "") if verdict.setup else "",
        "loss": curves.chart(series.steps, [("loss", series.loss)]) if series else None,
        "trained": [(step, one) for step, one in losses if one is not None],
        "times": _time_chart(series) if series else None,
        "every": series.steps[1] - series.steps[0] if series and len(series.steps) > 1 else 1,
    }


def _time_chart(series: Series) -> curves.Chart | None:
    """Milliseconds of whole steps, and of each worker until it needed the others."""
    named = [("the whole step", series.step_s), *((worker.node, worker.own_s) for worker in series.workers)]
    return curves.chart(
        series.steps, [(name, [None if one is None else 1e3 * one for one in values]) for name, values in named]
    )


def require_place(file: Path, source: Path | None = None) -> None:
    """Refuse a place for the report before a minute is spent on a test.

    Args:
        source: the file that the verdict is read from, which the report must not replace.

    Raises:
        OperationFailed: nothing can be written there, or something would be lost.
    """
    try:
        if source and file.exists() and file.samefile(source):
            raise OperationFailed(
                f"The report cannot be written to {file}: that is the verdict itself. Give the name of another file."
            )
        require_room(file)
    except OSError as error:
        raise OperationFailed(f"{_refusal(file, error)} Nothing was run.") from None


def write(file: Path, text: str) -> None:
    """Put the report there, whole or not at all; a file that was there before is replaced, and no link to it.

    Raises:
        OperationFailed: it cannot be written.
    """
    try:
        require_room(file)  # which makes no folder
        write_atomically(file, text.encode(errors="replace"))
    except OSError as error:
        raise OperationFailed(f"{_refusal(file, error)} The verdict itself is not affected.") from None


def _refusal(file: Path, error: OSError) -> str:
    return f"The report cannot be written to {file}: {error.strerror}."
