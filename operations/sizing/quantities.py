"""Reading quantities as people write them (7B, 1.4T, 30d, $2M, 40%), and writing them.

A wrong one is told with its place. Nothing is guessed: a unit that is missing or could mean two things is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?(e\+?[0-9]{1,3})?", re.IGNORECASE)
_NO_NUMBERS = ("nan", "inf", "+inf", "infinity", "+infinity", "none", "null")
THOUSANDS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


@dataclass(frozen=True)
class WrongValue(Exception):
    """One wrong value. ``column`` counts from 1, inside the value."""

    name: str
    text: str
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.name} {self.text!r}, column {self.column}: {self.message}."


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A kind of quantity.

    Attributes:
        units: the factor of each unit, in any case; the key "" is there where a plain number is right.
        example: one that is right, for the errors.
        least, most: the bounds, in the base unit; outside them it is a slip.
        prefix, suffix: a currency sign before it, or its name after it; one of the two has to be there.
        whole: whether only whole numbers make sense.
    """

    units: Mapping[str, Decimal | int]
    example: str
    least: float
    most: float
    prefix: str = ""
    suffix: str = ""
    whole: bool = False

    def read(self, name: str, text: str) -> Decimal:
        """The quantity in its base unit.

        Raises:
            WrongValue: it is none, or cannot be meant.
        """
        value = _Reading(self, name, text).value()
        if self.whole and value != value.to_integral_value():
            raise WrongValue(name, text, 1, f"must come out as a whole number; write for example {self.example}")
        bounds = ((value < Decimal(self.least), "less", self.least), (value > Decimal(self.most), "more", self.most))
        for outside, word, bound in bounds:
            if outside:
                said = self.write(bound)
                raise WrongValue(name, text, 1, f"{word} than {said} cannot be meant; write for example {self.example}")
        return value

    def write(self, value: float) -> str:
        """A value as this kind is written, in the largest unit that it reaches."""
        reached = [(factor, unit) for unit, factor in self.units.items() if value >= factor]
        factor, unit = max(reached, default=min((factor, unit) for unit, factor in self.units.items()))
        return f"{self.prefix}{_digits(value / float(factor))}{unit}"


class _Reading:
    """One reading of one text."""

    def __init__(self, kind: Quantity, name: str, text: str) -> None:
        self._kind, self._name, self._text = kind, name, text
        self._start = len(text) - len(text.lstrip(" "))
        self._end = len(text.rstrip(" "))

    def value(self) -> Decimal:
        self._refuse_foreign()
        body = self._text[self._start : self._end].lower()
        if not body:
            raise self._wrong(0, "is empty; write for example {example}")
        if body.startswith("-") or body.startswith(f"{self._kind.prefix}-"):
            raise self._wrong(self._start, "is negative; write for example {example}")
        if body in _NO_NUMBERS:
            raise self._wrong(self._start, "is no number; write for example {example}")
        marked = self._currency()
        number = _NUMBER.match(self._text, self._start, self._end)
        if number is None:
            raise self._wrong(self._start, "a number has to stand here; write for example {example}")
        unit = self._text[number.end() : self._end].strip(" ")
        if not marked:
            raise self._wrong(self._end, "the unit is missing; write for example {example}")
        return Decimal(number.group()) * self._factor(unit, number.end())

    def _refuse_foreign(self) -> None:
        """Look-alikes from other alphabets, minus signs, no-break spaces, line breaks: said with what they are."""
        for index, character in enumerate(self._text):
            if not (character.isascii() and character.isprintable()):
                called = unicodedata.name(character, "a control character").lower()
                raise self._wrong(index, f"U+{ord(character):04X} ({called}) is no plain character; type it again")

    def _currency(self) -> bool:
        """Whether the currency is said, where there is one, and is stripped."""
        kind, upper = self._kind, self._text.upper()
        if not kind.prefix:
            return True
        if self._text.startswith(kind.prefix, self._start):
            self._start += len(kind.prefix)
            return True
        if upper.endswith(kind.suffix, self._start, self._end):
            self._end -= len(kind.suffix)
            return True
        return False

    def _factor(self, unit: str, at: int) -> Decimal:
        units = self._kind.units
        factors = {unit.lower(): Decimal(factor) for unit, factor in units.items()}
        if unit.lower() in factors:
            return factors[unit.lower()]
        known = ", ".join(known for known in units if known)
        if not unit:
            raise self._wrong(at, f"the unit is missing ({known}); write for example {{example}}")
        if not known:
            raise self._wrong(at, "nothing can stand behind the number; write for example {example}")
        raise self._wrong(at, f"{unit!r} is no unit here; there are {known}; write for example {{example}}")

    def _wrong(self, index: int, message: str) -> WrongValue:
        return WrongValue(self._name, self._text, index + 1, message.replace("{example}", self._kind.example))


_COUNT = {"": 1, **THOUSANDS}
PARAMETERS = Quantity(units=_COUNT, example="7B", least=1e6, most=1e14, whole=True)
TOKENS = Quantity(units=_COUNT, example="1.4T", least=1e6, most=2e15, whole=True)
BATCH = Quantity(units=_COUNT, example="4M", least=1, most=1e9, whole=True)
# No "k": half of the field means 1,000 with it, and half 1,024.
SEQUENCE = Quantity(units={"": 1}, example="8192", least=16, most=10_000_000, whole=True)
LAYERS = Quantity(units={"": 1}, example="80", least=1, most=10_000, whole=True)
WIDTH = Quantity(units={"": 1}, example="8192", least=16, most=1_000_000, whole=True)
# No "m": minutes or months.
DURATION = Quantity(units={"h": 3600, "d": 86400, "w": 7 * 86400}, example="30d", least=3600, most=5 * 365 * 86400.0)
MONEY = Quantity(units=_COUNT, example="$2M", least=1, most=1e12, prefix="$", suffix="USD")
PERCENT = Quantity(units={"%": Decimal("0.01")}, example="40%", least=0.001, most=1)
RATE = Quantity(units={"MB/s": 10**6, "GB/s": 10**9}, example="1GB/s", least=1e6, most=1e12)


def short(value: float) -> str:
    """A number as people say it: three digits and K, M, B or T; plain below 1,000 and beyond the units."""
    for unit, factor in reversed(THOUSANDS.items()):
        if factor <= value < 1e15:
            return f"{_digits(value / factor)}{unit}"
    return f"{value:.1e}" if value >= 1e15 or 0 < value < 0.01 else _digits(value)


def _digits(value: float) -> str:
    text = f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(value: float) -> str:
    """Bytes, decimal."""
    for unit, factor in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= factor:
            return f"{_digits(value / factor)} {unit}"
    return f"{value:.0f} B"


def time(seconds: float) -> str:
    """A duration in the largest unit that gives at least 2 of it."""
    for unit, factor in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * factor:
            return f"{_digits(seconds / factor)} {unit}"
    return f"{_digits(seconds)} s"
