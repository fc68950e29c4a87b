"""Plans: what more work, less time and less money do to them, and what is unknown never wins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.sizing.formulas import shape_of
from operations.sizing.machines import MOST_MACHINES, SIZES, Machine, Utilisation, machines
from operations.sizing.model import DAY_S, Option, Plan, Precision, Request
from operations.sizing.plan import option_of, plan
from tests.operations.sizing.conftest import machine

PARAMETERS = st.sampled_from([10**9, 7 * 10**9, 70 * 10**9, 405 * 10**9])
TOKENS = st.integers(10**10, 3 * 10**13)
DAYS = st.integers(1, 300)
MORE = st.floats(1.01, 10)


def asked(parameters: int, tokens: int, days: float, budget_usd: float | None = None) -> Request:
    return Request(
        model=shape_of(parameters, 8192),
        tokens=tokens,
        batch_tokens=4 * 10**6,
        deadline_s=days * DAY_S,
        budget_usd=budget_usd,
    )


def cheapest(found: Plan) -> float | None:
    return min((option.cost_usd for option in found.options if option.cost_usd is not None), default=None)


def fewest(found: Plan) -> int | None:
    return min((option.chips for option in found.options), default=None)


@settings(max_examples=40, deadline=None)
@given(PARAMETERS, TOKENS, DAYS, MORE)
def test_more_tokens_never_cost_less(parameters: int, tokens: int, days: int, more: float) -> None:
    kinds = [machine("x1")]
    few, many = (cheapest(plan(asked(parameters, int(n), days), kinds)) for n in (tokens, tokens * more))
    assert many is None or (few is not None and many >= few)


@settings(max_examples=40, deadline=None)
@given(PARAMETERS, TOKENS, DAYS, MORE)
def test_a_shorter_deadline_never_takes_fewer_chips(parameters: int, tokens: int, days: int, more: float) -> None:
    kinds = [machine("x1")]
    soon, late = (fewest(plan(asked(parameters, tokens, n), kinds)) for n in (days, days * more))
    assert soon is None or (late is not None and soon >= late)


@settings(max_examples=40, deadline=None)
@given(PARAMETERS, TOKENS, DAYS, st.integers(10**4, 10**9))
def test_every_option_keeps_the_limits(parameters: int, tokens: int, days: int, budget: int) -> None:
    for option in plan(asked(parameters, tokens, days, budget), [machine("x1")]).options:
        assert option.duration_s <= days * DAY_S
        assert option.cost_usd is not None
        assert option.cost_usd <= budget
        assert 0 < option.goodput < 1 <= option.room
        assert option.layout.memory_bytes <= option.chip_memory_bytes


def test_an_unknown_price_never_wins_on_budget(request_70b: Request, known: Machine, unpriced: Machine) -> None:
    found = plan(request_70b, [unpriced, known])
    assert {option.instance_type for option in found.options} == {"x1.known", "x1.unpriced"}
    assert found.options[found.best["budget"]].instance_type == "x1.known"
    assert found.options[-1].cost_usd is None
    assert "budget" not in plan(request_70b, [unpriced]).best


def test_an_unknown_power_stays_unknown(request_70b: Request, unpriced: Machine) -> None:
    option = plan(request_70b, [unpriced]).options[0]
    assert option.power_w is None
    assert option.energy_kwh is None


def test_a_chip_that_nobody_measured_is_left_out_until_someone_says_a_utilisation(
    request_70b: Request, unmeasured: Machine
) -> None:
    assert "no utilisation in bf16 is published" in plan(request_70b, [unmeasured]).left_out["x1.unmeasured"]
    assert plan(replace(request_70b, mfu=0.3), [unmeasured]).options[0].mfu == 0.3


def test_an_unknown_peak_is_not_replaced_by_another_precisions(request_70b: Request, known: Machine) -> None:
    found = plan(replace(request_70b, precision=Precision.FP8), [known])
    assert found.left_out == {"x1.known": "its peak in fp8 is not known"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"deadline_s": 3600.0}, "days even on"),
        ({"budget_usd": 1000.0}, "costs at least $"),
        ({"model": shape_of(10**14, 8192)}, "no number of machines holds the model"),
    ],
)
def test_what_cannot_be_is_said_with_its_reason(
    request_70b: Request, known: Machine, changed: dict[str, object], reason: str
) -> None:
    found = plan(replace(request_70b, **changed), [known])  # pyright: ignore[reportArgumentType]
    assert not found.options
    assert reason in found.left_out["x1.known"]


def test_no_option_is_worse_than_another_in_everything(request_70b: Request, known: Machine) -> None:
    worse = machine("x1.slower", mfu=0.2)
    found = plan(replace(request_70b, budget_usd=1e8), [known, worse])
    measures = [(o.duration_s, o.cost_usd or 0.0, -o.goodput, -o.room) for o in found.options]
    for mine in measures:
        assert not any(all(a <= b for a, b in zip(other, mine, strict=True)) and other != mine for other in measures)


def test_a_utilisation_lies_between_those_that_were_measured() -> None:
    for kind in machines():
        values = [point.mfu for point in kind.utilisations]
        for chips in (1, 8, 100, 10_000, 10**6) if values else ():
            found = kind.mfu(chips, Precision.BF16)
            assert found is not None
            assert min(values) <= found[0] <= max(values)
            assert kind.mfu(chips, Precision.FP8) is None


def test_measurements_on_as_many_chips_are_averaged_and_those_on_an_unknown_number_come_last(known: Machine) -> None:
    points = (Utilisation(8, 0.5, "a"), Utilisation(8, 0.3, "b"), Utilisation(None, 0.9, "c"))
    assert replace(known, utilisations=points).mfu(64, Precision.BF16) == (0.4, "a and b")
    assert replace(known, utilisations=points[2:]).mfu(64, Precision.BF16) == (0.9, "c")


def test_time_and_price_are_what_the_units_say(known: Machine) -> None:
    # 1e15 FLOP/s × 8 chips × 0.4, without failures: an hour is 1.152e19 FLOP, and costs $50.
    option = option_of(asked(10**9, 10**9, 30), known, 1)
    assert isinstance(option, Option)
    flops = 6e18 + 12 * 16 * 2048 * 8192 * 1e9
    assert option.duration_s * option.goodput == pytest.approx(flops / 3.2e15)
    assert option.cost_usd == pytest.approx(option.duration_s / 3600 * 50)


def test_the_most_machines_fit_in_a_pool() -> None:
    assert max(SIZES) == MOST_MACHINES <= 5000


def test_a_network_that_is_slow_is_spared_by_a_pipeline_and_then_holds_the_training_up(known: Machine) -> None:
    wide = replace(asked(70 * 10**9, 10**12, 30), batch_tokens=16 * 10**6)
    kinds = (replace(known, network_bits_per_s=rate) for rate in (1e15, 5e10, 1e9))
    fast, spared, slow = (option_of(wide, kind, 64) for kind in kinds)
    assert fast is not None
    assert spared is not None
    assert slow is not None
    assert (fast.layout.pipeline, fast.mfu) == (1, 0.4)
    assert (spared.layout.pipeline > 1, spared.mfu) == (True, 0.4)
    assert slow.mfu < 0.4
    assert slow.network_bits_per_s == pytest.approx(1e9)
    assert "held up by the network" in slow.mfu_source


def test_chips_in_one_domain_need_no_network(known: Machine) -> None:
    option = option_of(asked(70 * 10**9, 10**12, 30), replace(known, domain=64, network_bits_per_s=1.0), 8)
    assert option is not None
    assert option.network_bits_per_s == 0
