"""The search: every type of the catalogue in every sensible number, against deadline, budget and memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from operations.sizing import formulas, reliability
from operations.sizing.layout import layouts
from operations.sizing.machines import Machine, machines
from operations.sizing.model import DAY_S, HOUR_S, Layout, Option, Plan, Request

LONGEST_S = 365 * DAY_S
"""Where no deadline is given: a run that takes longer than a year is no plan."""
ROOMY = 0.7
"""An option that is done in this part of the deadline leaves room for what was not planned."""
KEPT_CHECKPOINTS = 3
"""The newest ones that are kept; beside them one of each day."""

AIMS: dict[str, Callable[[Option], float | None]] = {
    "performance": lambda option: option.duration_s,
    "budget": lambda option: option.cost_usd,
    "reliability": lambda option: -option.goodput,
    "growth": lambda option: -option.room,
}
"""What an option can be best at: the smaller number is the better; ``None`` is unknown and never the best."""


def plan(request: Request, among: Iterable[Machine] | None = None) -> Plan:
    """Options for ``request``, none of them worse than another in everything.

    Args:
        request: what is asked.
        among: the types to choose from; by default the catalogue's, or those that the request names.
    """
    found: list[Option] = []
    left_out: dict[str, str] = {}
    for machine in machines() if among is None else among:
        if request.instance_types and machine.name not in request.instance_types:
            continue
        options = _options(request, machine)
        if isinstance(options, str):
            left_out[machine.name] = options
        else:
            found += options
    kept = tuple(sorted(_undominated(found), key=_order))
    return _plan(request, kept, left_out)


def _plan(request: Request, options: tuple[Option, ...], left_out: dict[str, str]) -> Plan:
    model, tokens = request.model, request.tokens
    checkpoint = formulas.checkpoint_bytes(model, request.precision)
    data = float(tokens * formulas.TOKEN_BYTES)
    days = max((option.duration_s for option in options), default=0.0) / DAY_S
    best: dict[str, int] = {}
    for aim, measure in AIMS.items():
        known = {place: value for place, option in enumerate(options) if (value := measure(option)) is not None}
        if known:
            best[aim] = min(known, key=lambda place: known[place])
    return Plan(
        request=request,
        flops=formulas.training_flops(model, tokens),
        parameter_flops=formulas.parameter_flops(model, tokens),
        chinchilla_tokens=formulas.chinchilla_tokens(model.parameters),
        loss=formulas.loss(model.parameters, tokens),
        checkpoint_bytes=checkpoint,
        data_bytes=data,
        storage_bytes=data + checkpoint * (KEPT_CHECKPOINTS + math.ceil(days)),
        options=options,
        best=best,
        left_out=left_out,
    )


def _options(request: Request, machine: Machine) -> list[Option] | str:
    """The options of one type, or why there are none."""
    if request.precision not in machine.peaks:
        return f"its peak in {request.precision} is not known"
    if request.mfu is None and machine.mfu(machine.chips, request.precision) is None:
        return f"no utilisation in {request.precision} is published; --mfu says one"
    fitting = [option for count in machine.sizes if (option := option_of(request, machine, count)) is not None]
    if not fitting:
        if machine.sizes == (1,):
            return "one machine does not hold the model, and has no fabric to train with others"
        return f"no number of machines holds the model with a batch of {request.batch_tokens:,} tokens"
    timely = [option for option in fitting if option.duration_s <= (request.deadline_s or LONGEST_S)]
    if not timely:
        fastest = min(fitting, key=lambda option: option.duration_s)
        limit = "" if fastest.machines == machine.sizes[-1] else ", the most that the batch keeps busy"
        return f"takes {fastest.duration_s / DAY_S:,.0f} days even on {fastest.machines:,} machines{limit}"
    affordable = [option for option in timely if _within(request, option)]
    if not affordable:
        cheapest = min(option.cost_usd for option in timely if option.cost_usd is not None)
        return f"costs at least ${cheapest:,.0f}"
    return _chosen(request, affordable)


def _within(request: Request, option: Option) -> bool:
    """Whether it is not known to be over the budget."""
    return request.budget_usd is None or option.cost_usd is None or option.cost_usd <= request.budget_usd


def _chosen(request: Request, options: list[Option]) -> list[Option]:
    """Of one type's options that are possible: the smallest, the cheapest, a roomy one; with a budget the fastest."""
    chosen = [options[0], min(options, key=lambda option: option.machines * option.duration_s)]
    chosen += [option for option in options if option.duration_s <= ROOMY * (request.deadline_s or LONGEST_S)][:1]
    if request.budget_usd is not None and options[0].cost_usd is not None:
        chosen.append(min(options, key=lambda option: option.duration_s))
    return list({option.machines: option for option in chosen}.values())


def option_of(request: Request, machine: Machine, count: int) -> Option | None:
    """``count`` machines of one type as an option; ``None`` where the model does not fit on them.

    Of the layouts that fit it is the simplest whose traffic the network carries while the chips compute, else the one
    that waits least for it. Takes a type whose peak in the request's precision is known, and a utilisation from it or
    from the request.
    """
    model, chips = request.model, count * machine.chips
    measured = (request.mfu, "as given") if request.mfu is not None else machine.mfu(chips, request.precision)
    assert measured is not None
    mfu, source = measured
    flops_per_s = chips * machine.peaks[request.precision] * mfu

    def computing_s(cut: Layout) -> float:
        return formulas.training_flops(model, cut.batch_sequences * model.sequence) / flops_per_s

    def waiting(cut: Layout) -> float:
        """The step's length ÷ that without waiting for the network."""
        bits = 8 * _exchanged(request, machine, count, cut.pipeline)
        return max(1.0, bits / (machine.network_bits_per_s or math.inf) / computing_s(cut))

    cut = _first_least(layouts(request, machine, count), waiting)
    if cut is None:
        return None
    step = computing_s(cut) * waiting(cut)
    if waiting(cut) > 1:
        mfu, source = mfu / waiting(cut), f"{source}; held up by the network"
    write_s = formulas.checkpoint_bytes(model, request.precision) / (count * request.write_bytes_per_s)
    mttf = reliability.mttf_s(chips)
    interval = reliability.checkpoint_interval_s(write_s, mttf)
    factor = reliability.time_factor(interval, write_s, reliability.RESTART_S + write_s, mttf)
    if not math.isfinite(factor):
        return None
    duration = request.tokens / (cut.batch_sequences * model.sequence) * step * factor
    cost = None if machine.usd_per_hour is None else count * machine.usd_per_hour * duration / HOUR_S
    return Option(
        instance_type=machine.name,
        chip=machine.chip,
        machines=count,
        chips=chips,
        spares=reliability.spares(chips),
        layout=cut,
        chip_memory_bytes=machine.memory_bytes,
        mfu=mfu,
        mfu_source=source,
        step_s=step,
        mttf_s=mttf,
        failures=duration / mttf,
        checkpoint_write_s=write_s,
        checkpoint_interval_s=interval,
        goodput=1 / factor,
        duration_s=duration,
        cost_usd=cost,
        price_source=machine.price_source,
        power_w=None if machine.power_w is None else count * machine.power_w,
        network_bits_per_s=8 * _exchanged(request, machine, count, cut.pipeline) / step,
        network_peak_bits_per_s=machine.network_bits_per_s,
        room=_room(request, machine, cut.memory_bytes, duration, cost),
    )


def _first_least(cuts: Iterable[Layout], waiting: Callable[[Layout], float]) -> Layout | None:
    """The first that does not wait, which is 1; else the one that waits least."""
    best: Layout | None = None
    for cut in cuts:
        if best is None or waiting(cut) < waiting(best):
            best = cut
        if waiting(best) <= 1:
            break
    return best


def _exchanged(request: Request, machine: Machine, count: int, pipeline: int) -> float:
    """Bytes that one machine receives over the network in a step; none where all chips are in one domain."""
    if count <= machine.domain_machines:
        return 0.0
    return formulas.exchanged_bytes_per_domain(request.model, request.precision, pipeline) / machine.domain_machines


def _room(request: Request, machine: Machine, memory: float, duration: float, cost: float | None) -> float:
    """How many times larger a model could be, on the same tokens: the least that memory, deadline and budget allow.

    Work and memory grow with the parameters, so it is the smallest of the three ratios. An unknown cost does not count.
    """
    ratios = [machine.usable_bytes / memory, (request.deadline_s or LONGEST_S) / duration]
    if request.budget_usd is not None and cost is not None:
        ratios.append(request.budget_usd / cost)
    return min(ratios)


def _undominated(options: list[Option]) -> list[Option]:
    return [option for option in options if not any(_dominates(other, option) for other in options)]


def _dominates(better: Option, worse: Option) -> bool:
    """Whether one is at least as good in everything and better in something. An unknown cost is not comparable."""
    if (better.cost_usd is None) != (worse.cost_usd is None):
        return False
    if better.cost_usd is None and better.instance_type != worse.instance_type:
        return False
    pairs = [
        (better.duration_s, worse.duration_s),
        (_price_of(better), _price_of(worse)),
        (-better.goodput, -worse.goodput),
        (-better.room, -worse.room),
    ]
    return all(ours <= theirs for ours, theirs in pairs) and any(ours < theirs for ours, theirs in pairs)


def _price_of(option: Option) -> float:
    """The cost, or machine time where it is unknown, which compares options of one type."""
    return option.machines * option.duration_s if option.cost_usd is None else option.cost_usd


def _order(option: Option) -> tuple[bool, float, float]:
    """The cheapest known first, then the fastest of unknown price."""
    return option.cost_usd is None, option.cost_usd or 0.0, option.duration_s
