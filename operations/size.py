"""``aidc size``: from a model and its tokens to a plan, options side by side, and a stack file from the chosen one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from components.accelerators import CATALOGUE
from components.config.problems import listed
from components.settings import REGIONS
from operations.exits import Exit, OperationFailed
from operations.sizing import checks, formulas, quantities, report, stack_file
from operations.sizing.model import ModelShape, Plan, Precision, Request
from operations.sizing.plan import plan
from operations.sizing.quantities import Quantity, WrongValue
from operations.workplace import Workplace

T = TypeVar("T")

DEFAULT_SEQUENCE = 8192
# Llama 2 trained on batches of 4 million tokens, Llama 3.1 405B on 16 million.
DEFAULT_BATCH = 4_000_000
LARGE_BATCH = 16_000_000
LARGE_MODEL = 100 * 10**9
SHAPE_TOLERANCE = 2.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was typed, as it was typed; ``None`` was not."""

    parameters: str | None = None
    tokens: str | None = None
    sequence: str | None = None
    layers: str | None = None
    width: str | None = None
    batch: str | None = None
    precision: Precision = Precision.BF16
    deadline: str | None = None
    budget: str | None = None
    mfu: str | None = None
    checkpoint_rate: str | None = None
    types: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Writing:
    """Where a stack file goes, and from which option; None was not said."""

    file: Path | None = None
    option: int | None = None
    region: str | None = None
    force: bool = False


NOTHING = Writing()


def size(place: Workplace, asked: Asked, writing: Writing = NOTHING) -> None:
    """Show the plan, and write the stack file where that is asked for.

    Raises:
        OperationFailed: a value is wrong (all of them are told), nothing fits, or the file cannot be written.
    """
    request, defaults = read(asked, writing)
    found = plan(request)
    if not found.options:
        raise OperationFailed(_nothing(found))
    option = writing.option or 1
    if writing.file and option > len(found.options):
        there = f"there are {len(found.options)}" if len(found.options) > 1 else "there is one"
        raise OperationFailed(f"--option {option} is none of the options: {there}.", Exit.CONFIGURATION)
    assumed = report.assumptions(request, [*defaults, *report.deadline_default(request)])
    place.give(report.as_data(found, assumed), report.as_text(found, assumed))
    if writing.file:  # after the plan, which says what else there is to choose where this one cannot be written
        _write(place, found, option, writing.file, writing)


def check(place: Workplace) -> None:
    """Show what the formulas say of published training runs."""
    found = checks.comparisons()
    place.give(checks.as_data(found), checks.as_text(found))


def _write(place: Workplace, found: Plan, option: int, file: Path, writing: Writing) -> None:
    try:
        stack_file.write(found, found.options[option - 1], file, writing.region, force=writing.force)
    except stack_file.StackFileError as error:
        raise OperationFailed(f"{error}.", Exit.ERROR) from None
    look = f"aidc preview --stack {stack_file.stack_of(file)}"
    place.tell(f"{file} has option {option}. Set your account in it, then look at `{look}`.")


def _nothing(found: Plan) -> str:
    lines = ["No type of the catalogue can do that:"]
    lines += [f"  {name}: {reason}" for name, reason in found.left_out.items()]
    return "\n".join([*lines, "Give it more time, more money, a larger --batch, or say a utilisation with --mfu."])


def read(asked: Asked, writing: Writing = NOTHING) -> tuple[Request, list[str]]:
    """The request, and a sentence for each value that was not said.

    Raises:
        OperationFailed: with everything that is wrong.
    """
    reader = _Reader()
    parameters = reader.whole("--parameters", asked.parameters, quantities.PARAMETERS)
    if asked.parameters is None:
        reader.problems.append("--parameters is missing: write for example --parameters 7B.")
    sequence = reader.whole("--sequence", asked.sequence, quantities.SEQUENCE)
    tokens = reader.whole("--tokens", asked.tokens, quantities.TOKENS)
    batch = reader.whole("--batch", asked.batch, quantities.BATCH)
    layers = reader.whole("--layers", asked.layers, quantities.LAYERS)
    width = reader.whole("--width", asked.width, quantities.WIDTH)
    deadline = reader.number("--deadline", asked.deadline, quantities.DURATION)
    budget = reader.number("--budget", asked.budget, quantities.MONEY)
    mfu = reader.number("--mfu", asked.mfu, quantities.PERCENT)
    rate = reader.number("--checkpoint-rate", asked.checkpoint_rate, quantities.RATE)
    reader.types(asked.types)
    reader.problems += _of_writing(writing)
    model = reader.shape(parameters, sequence, layers, width) if parameters else None
    if model is None or reader.problems:
        raise OperationFailed("\n".join(reader.problems), Exit.CONFIGURATION)
    request = Request(
        model=model,
        tokens=tokens or reader.default_tokens(model),
        batch_tokens=batch or (LARGE_BATCH if model.parameters >= LARGE_MODEL else DEFAULT_BATCH),
        precision=asked.precision,
        deadline_s=deadline,
        budget_usd=budget,
        mfu=mfu,
        instance_types=asked.types,
        write_bytes_per_s=rate or Request.write_bytes_per_s,
    )
    return request, reader.defaults


def _of_writing(writing: Writing) -> Iterator[str]:
    """What is wrong with where it goes."""
    if writing.region is not None and writing.region not in REGIONS:
        yield _unknown("--region", writing.region, REGIONS)
    if writing.file is None:
        said = {"--option": writing.option, "--region": writing.region, "--force": writing.force or None}
        if alone := [name for name, value in said.items() if value is not None]:
            yield f"{', '.join(alone)}: of use only with --write, which names the stack file."
    elif not stack_file.stack_of(writing.file):
        yield f"--write {writing.file}: a stack file is called Pulumi.<stack>.yaml, or no stack is found by it."


class _Reader:
    """Reads one command line: gathers what is wrong, and what was not said."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.defaults: list[str] = []

    def number(self, name: str, text: str | None, kind: Quantity) -> float | None:
        return self._read(name, text, kind, float)

    def whole(self, name: str, text: str | None, kind: Quantity) -> int | None:
        return self._read(name, text, kind, int)

    def _read(self, name: str, text: str | None, kind: Quantity, make: Callable[[Decimal], T]) -> T | None:
        if text is None:
            return None
        try:
            return make(kind.read(name, text))
        except WrongValue as problem:
            self.problems.append(str(problem))
            return None

    def types(self, names: tuple[str, ...]) -> None:
        known = tuple(name for name, row in CATALOGUE.items() if row.chip)
        for name in names:
            if name in CATALOGUE and name not in known:
                self.problems.append(f"--type {name} has no accelerators. {listed(name, known)}")
            elif name not in known:
                self.problems.append(_unknown("--type", name, known))

    def shape(self, parameters: int, sequence: int | None, layers: int | None, width: int | None) -> ModelShape:
        if sequence is None:
            self.defaults.append(f"sequences of {DEFAULT_SEQUENCE:,} tokens")
        if layers is None or width is None:
            self.defaults.append("the shape from N = 12·L·d², d = 128·L, layers in fours")
        shape = formulas.shape_of(parameters, sequence or DEFAULT_SEQUENCE, layers, width)
        blocks = 12 * shape.layers * shape.width**2
        if (layers or width) and not 1 / SHAPE_TOLERANCE <= blocks / parameters <= SHAPE_TOLERANCE:
            self.problems.append(
                f"--layers and --width: {shape.layers} layers of {shape.width:,} have about "
                f"{quantities.short(blocks)} parameters (12·L·d²), not {quantities.short(parameters)}."
            )
        return shape

    def default_tokens(self, model: ModelShape) -> int:
        self.defaults.append(f"{formulas.CHINCHILLA_TOKENS_A_PARAMETER} tokens a parameter (Chinchilla)")
        return formulas.chinchilla_tokens(model.parameters)


def _unknown(name: str, value: str, allowed: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(value, allowed, n=1)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    return f"{name} {value!r} is not known.{hint} {listed(value, allowed)}"
