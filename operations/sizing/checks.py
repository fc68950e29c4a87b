"""Three published training runs against what the formulas say of them, and how far off that is.

Sources:

- [LLAMA3] Grattafiori et al. 2024, "The Llama 3 Herd of Models", tables 3 and 4, section 3.3.4; the hours are of the
           model card of Llama 3.1 405B.
- [LLAMA2] Touvron et al. 2023, "Llama 2", tables 1 and 2.
- [BLOOM]  Le Scao et al. 2022, "BLOOM: A 176B-Parameter Open-Access Multilingual Language Model", section 3; the sizes
           of checkpoints are of BigScience's page on the 176B model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from operations.sizing import formulas, reliability
from operations.sizing.machines import Machine, machine
from operations.sizing.model import DAY_S, HOUR_S, ModelShape, Option, Precision, Request
from operations.sizing.plan import option_of


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One number of one run.

    Attributes:
        run: which.
        what: the quantity with its unit.
        published, predicted: in that unit.
        why: what explains the difference.
    """

    run: str
    what: str
    published: float
    predicted: float
    why: str

    @property
    def off(self) -> float:
        """How far the prediction is from what was published, as a fraction of it."""
        return self.predicted / self.published - 1


LLAMA3 = Request(
    model=ModelShape(parameters=405 * 10**9, layers=126, width=16384, sequence=8192),
    tokens=15_600 * 10**9,
    batch_tokens=16 * 2**20,
)
LLAMA2 = Request(
    model=ModelShape(parameters=69 * 10**9, layers=80, width=8192, sequence=4096, vocabulary=32_000),
    tokens=2_000 * 10**9,
    batch_tokens=4 * 10**6,
)
BLOOM = Request(
    model=ModelShape(parameters=176_247 * 10**6, layers=70, width=14336, sequence=2048, vocabulary=250_880),
    tokens=366 * 10**9,
    batch_tokens=2048 * 2048,
)
A100 = "p4de.24xlarge"
H100 = "p5.48xlarge"


def comparisons() -> tuple[Comparison, ...]:
    """All of them, the runs in the order of their age."""
    return (*_bloom(), *_llama2(), *_llama3())


def _bloom() -> tuple[Comparison, ...]:
    run = "BLOOM 176B, 384 A100"
    option = _option(BLOOM, machine(A100), 48)
    hours = _hours(option) / 1e6
    weights = formulas.weight_bytes(BLOOM.model, Precision.BF16)
    return (
        Comparison(
            run=run,
            what="million chip-hours",
            published=1.08299,
            predicted=hours,
            why="it recomputed all activations, a third more work, which the measured utilisation had not: "
            f"{hours * 4 / 3 / 1.08299 - 1:+.0%} with that",
        ),
        Comparison(
            run=run,
            what="checkpoint, TB",
            published=2.3,
            predicted=formulas.checkpoint_bytes(BLOOM.model, Precision.BF16) / 1e12,
            why="14 bytes a parameter; published with two digits, and likely in TiB",
        ),
        Comparison(
            run=run, what="weights, GB", published=329, predicted=weights / 1e9, why="published in GiB: 328 of them"
        ),
    )


def _llama2() -> tuple[Comparison, ...]:
    option = _option(LLAMA2, machine(A100), 256)
    return (
        Comparison(
            run="Llama 2 70B, A100",
            what="million chip-hours",
            published=1.72032,
            predicted=_hours(option) / 1e6,
            why="a part of the chips was capped at 350 W and on Ethernet; their number is not published, here 2,048",
        ),
    )


def _llama3() -> tuple[Comparison, ...]:
    run = "Llama 3.1 405B, 16,384 H100"
    h100 = machine(H100)
    others = replace(h100, utilisations=tuple(u for u in h100.utilisations if "Llama 3" not in u.source))
    own, blind = _option(LLAMA3, h100, 2048), _option(LLAMA3, others, 2048)
    days = reliability.LLAMA3_DAYS * DAY_S
    return (
        Comparison(
            run=run,
            what="FLOP, 6ND",
            published=3.8e25,
            predicted=formulas.parameter_flops(LLAMA3.model, LLAMA3.tokens),
            why="the same formula",
        ),
        Comparison(
            run=run,
            what="million chip-hours, MFU of other runs",
            published=30.84,
            predicted=_hours(blind) / 1e6,
            why=f"{blind.mfu:.1%} was measured on 8 chips; on 16,384 it was 38 to 41 %",
        ),
        Comparison(
            run=run,
            what="million chip-hours, its own MFU",
            published=30.84,
            predicted=_hours(own) / 1e6,
            why="no blind prediction; the published hours have long contexts and all else in them",
        ),
        Comparison(
            run=run,
            what="interruptions in 54 days",
            published=reliability.LLAMA3_INTERRUPTIONS,
            predicted=days / own.mttf_s,
            why="half its own count, half the RSC clusters' rate, which is higher",
        ),
        Comparison(
            run=run,
            what="effective training time, %",
            published=90,
            predicted=100 * own.goodput,
            why='published as "higher than 90 %"',
        ),
    )


def _option(request: Request, kind: Machine, count: int) -> Option:
    option = option_of(request, kind, count)
    assert option is not None, "a published run fits on the machines that it ran on"
    return option


def _hours(option: Option) -> float:
    return option.chips * option.duration_s / HOUR_S


def as_data(found: tuple[Comparison, ...]) -> list[dict[str, Any]]:
    """Plain values."""
    return [{**asdict(item), "off": item.off} for item in found]


def as_text(found: tuple[Comparison, ...]) -> str:
    """A table in Markdown, which a terminal shows as well."""
    rows = [("run", "quantity", "published", "predicted", "off", "why")]
    rows += [
        (item.run, item.what, _number(item.published), _number(item.predicted), f"{item.off:+.0%}", item.why)
        for item in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _number(value: float) -> str:
    return f"{value:.2e}" if value >= 1e6 else f"{value:.0f}" if value >= 100 else f"{value:.3g}"
