"""When things run: the two syntaxes of a schedule, which look alike and are not.

Kubernetes' cron has five fields, counts weekdays from 0 and knows ``@daily``. AWS' has six, with a year, counts
weekdays from 1, asks for a ``?`` in one of the two days, and stands in ``cron(…)``, beside ``rate(…)``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}
_LONGEST_TEXT = 256  # DataSync API reference, TaskSchedule


class _Wrong(ValueError):
    """What is wrong with a schedule, in words."""


def _number(text: str, what: str, low: int, high: int, names: tuple[str, ...], first: int) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + first
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and low <= int(text) <= high):
        known = f", or {names[0]} to {names[-1]}" if names else ""
        raise _Wrong(f"{what} {text or 'nothing'} is not {low} to {high}{known}")
    return int(text)


def _field(text: str, what: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 1) -> set[int]:
    """The numbers that a field of either syntax stands for: stars, lists, ranges, steps and names."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        begin = low if span in ("*", "?") else _number(start, what, low, high, names, first)
        last = high if slash or span in ("*", "?") else begin
        if dash:
            last = _number(end, what, low, high, names, first)
        stride = _number(step, f"the step of {what}", 1, high, (), 1) if slash else 1
        if last < begin:
            raise _Wrong(f"{what} {span} ends before it begins")
        found |= set(range(begin, last + 1, stride))
    return found


def _comes(days: set[int], months: set[int]) -> None:
    if min(days) > max(_LONGEST[month - 1] for month in months):
        raise _Wrong(f"day {min(days)} comes in none of its months: it would never run")


def _kubernetes(text: str) -> None:
    """The parser of Kubernetes' controller: robfig/cron, "CRON Expression Format"."""
    if text in _MACROS:
        return
    if text.startswith("@"):
        raise _Wrong(f"of words it knows {', '.join(_MACROS)}")
    if "TZ=" in text:
        raise _Wrong("it is in UTC, and names no time zone")
    if text.startswith(("cron(", "rate(")):
        raise _Wrong("that is AWS' syntax, and this is Kubernetes': five fields, such as \"0 3 * * *\"")
    fields = text.split()
    if len(fields) != 5:
        raise _Wrong(f"it has {len(fields)} fields, and five are needed: minute, hour, day, month, weekday")
    minute, hour, day, month, weekday = fields
    _field(minute, "minute", 0, 59)
    _field(hour, "hour", 0, 23)
    days, months = _field(day, "day", 1, 31), _field(month, "month", 1, 12, _MONTHS)
    _field(weekday, "weekday", 0, 6, _WEEKDAYS, first=0)
    if weekday in ("*", "?"):  # else either of the two days is enough
        _comes(days, months)


def _aws(text: str) -> None:
    """EventBridge Scheduler guide, "Schedule types"; DataSync takes these two."""
    found = re.fullmatch(r"(cron|rate)\((.*)\)", text)
    if len(text) > _LONGEST_TEXT or found is None:
        raise _Wrong('it is neither "cron(0 3 * * ? *)" nor "rate(12 hours)"')
    kind, inside = found.groups()
    if kind == "rate":
        _rate(inside)
    else:
        _aws_cron(inside)


def _rate(inside: str) -> None:
    found = re.fullmatch(r"([1-9][0-9]{0,5}) (minute|hour|day)(s?)", inside)
    if found is None:
        raise _Wrong("a rate is a number and minutes, hours or days: rate(12 hours)")
    number, unit, plural = int(found[1]), found[2], found[3]
    if (number == 1) == bool(plural):
        raise _Wrong(f"a rate of {number} is in {unit if number == 1 else unit + 's'}")
    if number * _MINUTES[unit] < 60:
        raise _Wrong('it runs once an hour at most (DataSync guide, "Scheduling when your task runs")')


def _aws_cron(inside: str) -> None:
    fields = inside.split()
    if len(fields) != 6:
        raise _Wrong(f"it has {len(fields)} fields, and six are needed: minute, hour, day, month, weekday, year")
    minute, hour, day, month, weekday, year = fields
    if len(_field(minute, "minute", 0, 59)) > 1:
        raise _Wrong('it runs once an hour at most (DataSync guide, "Scheduling when your task runs")')
    _field(hour, "hour", 0, 23)
    months = _field(month, "month", 1, 12, _MONTHS)
    _field(year, "year", 1970, 2199)
    if (day == "?") == (weekday == "?"):
        raise _Wrong("one of day and weekday is ?, and the other one is not")
    if day != "?" and not re.fullmatch(r"L|LW|([1-9]|[12][0-9]|3[01])W", day):
        _comes(_field(day, "day", 1, 31), months)
    if weekday != "?" and not re.fullmatch(r"L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])", weekday.upper()):
        _field(weekday, "weekday", 1, 7, _WEEKDAYS)


def _schedule(check: Callable[[str], None]) -> AfterValidator:
    def validate(text: str) -> str:
        try:
            check(text)
        except _Wrong as wrong:
            shown = text if len(text) <= 80 else f"{text[:80]}…"
            raise PydanticCustomError(
                "schedule", '"{text}" is no schedule: {reason}', {"text": shown, "reason": str(wrong)}
            ) from None
        return text

    return AfterValidator(validate)


KubernetesSchedule = Annotated[
    str, _schedule(_kubernetes), WithJsonSchema({"type": "string", "examples": ["0 3 * * *", "@daily"]})
]
AwsSchedule = Annotated[
    str, _schedule(_aws), WithJsonSchema({"type": "string", "examples": ["cron(0 3 * * ? *)", "rate(12 hours)"]})
]
