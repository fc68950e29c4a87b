"""A plan as one screen, options side by side, and as plain values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from operations.sizing import formulas, machines, quantities, reliability
from operations.sizing.layout import BATCH_TOLERANCE
from operations.sizing.model import DAY_S, GIB, Option, Plan, Request
from operations.sizing.plan import AIMS, KEPT_CHECKPOINTS, LONGEST_S

SHOWN_OPTIONS = 5
UNKNOWN = "unknown"


def as_data(plan: Plan, assumptions: Sequence[str]) -> dict[str, Any]:
    """The plan as plain values; what is unknown is ``null``."""
    return {**asdict(plan), "assumptions": list(assumptions)}


def as_text(plan: Plan, assumptions: Sequence[str]) -> str:
    """One screen: what is asked, the options side by side, what they rest on, and what was left out."""
    lines = [f"{label:<11}{text}" for label, text in _asked(plan)]
    if plan.options:
        lines += ["", *_table(plan)]
    if len(plan.options) > SHOWN_OPTIONS:
        lines.append(f"and {len(plan.options) - SHOWN_OPTIONS} more: see --output json, or choose types with --type")
    lines += ["", *(f"{label:<11}{text}" for label, text in _labelled("assumed", assumptions))]
    lines += ["", *(f"{label:<11}{text}" for label, text in _labelled("sources", _sources(plan)))]
    if plan.left_out:
        lines += ["", *(f"{label:<11}{text}" for label, text in _labelled("left out", _left_out(plan)))]
    return "\n".join(line.rstrip() for line in lines)


def _asked(plan: Plan) -> list[tuple[str, str]]:
    request, model = plan.request, plan.request.model
    attention = 1 - plan.parameter_flops / plan.flops
    deadline = f"within {quantities.time(request.deadline_s)}" if request.deadline_s else "no deadline"
    budget = f"${request.budget_usd:,.0f}" if request.budget_usd else "no budget"
    return [
        (
            "model",
            f"{quantities.short(model.parameters)} parameters in {model.layers} layers, {model.width:,} wide, "
            f"sequences of {model.sequence:,}, {request.precision}",
        ),
        ("work", f"{quantities.short(request.tokens)} tokens, {plan.flops:.2e} FLOP, {attention:.0%} of it attention"),
        (
            "reference",
            f"compute-optimal on {quantities.short(plan.chinchilla_tokens)} tokens; "
            f"loss {plan.loss:.2f} by the scaling law",
        ),
        (
            "storage",
            f"{quantities.size(plan.storage_bytes)}: {quantities.size(plan.data_bytes)} of tokens, "
            f"checkpoints of {quantities.size(plan.checkpoint_bytes)}",
        ),
        ("limits", f"{deadline}, {budget}"),
    ]


def _table(plan: Plan) -> list[str]:
    shown = _shown(plan)
    rows = [["", *(f"option {place + 1}" for place in shown)]]
    rows += [[label, *(cell(plan, plan.options[place]) for place in shown)] for label, cell in _ROWS]
    rows.append(["best at", *(_best_at(plan, place) for place in shown)])
    widths = [max(len(row[column]) for row in rows) for column in range(1, len(shown) + 1)]
    return [
        f"{row[0]:<11}" + "  ".join(f"{cell:<{width}}" for cell, width in zip(row[1:], widths, strict=True))
        for row in rows
    ]


def _shown(plan: Plan) -> list[int]:
    """The places of the options on the screen: what is best at something, the first of each type, then the others."""
    first_of_type = {option.instance_type: place for place, option in reversed(list(enumerate(plan.options)))}
    wanted = [*plan.best.values(), *sorted(first_of_type.values()), *range(len(plan.options))]
    return sorted(list(dict.fromkeys(wanted))[:SHOWN_OPTIONS])


def _best_at(plan: Plan, place: int) -> str:
    return ", ".join(aim for aim in AIMS if plan.best.get(aim) == place) or "-"


def _network(_plan: Plan, option: Option) -> str:
    if option.network_bits_per_s == 0:
        return "none needed"
    peak = option.network_peak_bits_per_s
    of = f" of {peak / 1e9:,.0f}" if peak else ""
    return f"{option.network_bits_per_s / 1e9:,.0f}{of} Gb/s each"


def _batch(plan: Plan, option: Option) -> str:
    tokens = option.layout.batch_sequences * plan.request.model.sequence
    return f"{quantities.short(tokens)} tokens, {quantities.time(option.step_s)}"


_ROWS: tuple[tuple[str, Callable[[Plan, Option], str]], ...] = (
    ("machines", lambda _, option: f"{option.machines:,} × {option.instance_type}"),
    ("spare", lambda _, option: f"{option.spares:,}"),
    ("chips", lambda _, option: f"{option.chips:,} {option.chip}"),
    ("layout", lambda _, option: str(option.layout)),
    ("step", _batch),
    (
        "memory",
        lambda _, option: f"{option.layout.memory_bytes / GIB:.1f} of {option.chip_memory_bytes / GIB:.0f} GiB a chip",
    ),
    ("MFU", lambda _, option: f"{option.mfu:.1%}"),
    ("time", lambda _, option: quantities.time(option.duration_s)),
    ("price", lambda _, option: UNKNOWN if option.cost_usd is None else f"${option.cost_usd:,.0f}"),
    ("power", lambda _, option: UNKNOWN if option.power_w is None else f"{option.power_w / 1e6:.2f} MW"),
    ("energy", lambda _, option: UNKNOWN if option.energy_kwh is None else f"{option.energy_kwh / 1000:,.0f} MWh"),
    ("failures", lambda _, option: f"{option.failures:,.1f}, one in {quantities.time(option.mttf_s)}"),
    ("checkpoint", lambda _, option: f"every {quantities.time(option.checkpoint_interval_s)}"),
    ("writing", lambda plan, option: _rate(plan, option)),
    ("goodput", lambda _, option: f"{option.goodput:.1%}"),
    ("network", _network),
    ("room", lambda _, option: f"a model {option.room:.1f}× as large"),
)


def _rate(plan: Plan, option: Option) -> str:
    rate = plan.checkpoint_bytes / option.checkpoint_write_s
    return f"{quantities.size(rate)}/s for {quantities.time(option.checkpoint_write_s)}"


def assumptions(request: Request, defaults: Sequence[str]) -> list[str]:
    """Everything that the numbers rest on and that nobody said, ``defaults`` first."""
    return [
        *defaults,
        "FLOPs are 6ND + 12·L·d·T a token; causal attention counted whole, as published utilisations count it",
        "MFU as given"
        if request.mfu is not None
        else "MFU as measured on the chip, a line between the nearest sizes; small models on many chips fall short",
        f"a chip's memory holds {formulas.STATE_BYTES[request.precision]} bytes a parameter sharded over all chips, "
        f"one sequence with every layer recomputed, and stays {1 - machines.USABLE_MEMORY:.0%} free",
        f"the batch of {quantities.short(request.batch_tokens)} tokens is changed by up to {BATCH_TOLERANCE:.0%} "
        "so that it comes out even",
        "failures as Meta's clusters had them (RSC, Llama 3); other chips are taken to fail as often",
        f"a failure costs {reliability.RESTART_S / 60:.0f} min, reading the checkpoint, and half an interval of work; "
        f"a machine is back after {reliability.REPAIR_S / DAY_S:.0f} day",
        f"a checkpoint stops the training while each machine writes {quantities.size(request.write_bytes_per_s)}/s; "
        f"{formulas.CHECKPOINT_BYTES[request.precision]} bytes a parameter; kept: {KEPT_CHECKPOINTS} and one a day",
        "price: accelerator machines that train, on demand, for the whole time; not spares, storage, network, people",
        f"power: chips at their TDP, ×{machines.SYSTEM_POWER} for the machine, ×{machines.PUE} for the building; "
        "an upper bound",
        "network: FSDP's weights twice and gradients once a step, a lower bound",
    ]


def deadline_default(request: Request) -> list[str]:
    """What a missing deadline means."""
    return [] if request.deadline_s else [f"no deadline: at most {LONGEST_S / DAY_S:.0f} days"]


def _sources(plan: Plan) -> list[str]:
    """Where the measured utilisations and the prices of the options come from, each once."""
    options = [plan.options[place] for place in _shown(plan)]
    texts = [f"MFU of {option.chip}: {option.mfu_source}" for option in options]
    texts += [f"price of {option.instance_type}: {option.price_source or UNKNOWN}" for option in options]
    return list(dict.fromkeys(texts))


def _left_out(plan: Plan) -> list[str]:
    """Types by the reason, so that one reason is one line."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in plan.left_out.items():
        by_reason.setdefault(reason, []).append(name)
    return [f"{', '.join(_families(names))}: {reason}" for reason, names in by_reason.items()]


def _families(names: Sequence[str]) -> list[str]:
    """Types as they are, but three and more of one family as one."""
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(re.split(r"[.-](?=[^.-]+$)", name)[0], []).append(name)
    return [text for family, members in families.items() for text in ([f"{family}*"] if len(members) > 2 else members)]


def _labelled(label: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """The label before the first of the texts."""
    return [(label if place == 0 else "", text) for place, text in enumerate(texts)]
