from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from train.checks import work

SMALL = work.Scale(jnp.dtype(jnp.float32), 64, 4, 1 << 16, 1 << 16, 64, 1 << 16, 0.001)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "scale_of", lambda platform: SMALL)


def test_every_device_gives_the_host_s_answer() -> None:
    assert {work.device_answer(device, 64, 4) for device in jax.local_devices()} == {work.known_answer(64, 4)}


def test_one_wrong_number_is_another_answer() -> None:
    right = work.numbers(64)
    wrong = right.copy()
    wrong[3, 5] += 1
    assert work.digest(right) != work.digest(wrong)


def test_the_answer_is_the_same_in_the_number_formats_of_all_chips() -> None:
    x = work.numbers(64)
    assert work.digest(x) == work.digest(x.astype(jnp.bfloat16)) == work.digest(x.astype(np.float64))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_no_answer(bad: float) -> None:
    assert work.digest(np.array([1, bad])) == "not finite"


def test_speeds_are_measured_on_results_that_are_right() -> None:
    device = jax.local_devices()[0]
    flops, digest = work.product_flops(device)
    rate, lost = work.memory_bytes_per_s(device)
    assert flops > 0
    assert digest == work.known_answer(64, 4)
    assert rate > 0
    assert lost == 0


def test_speeds_are_all_that_was_done_by_the_seconds_that_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "best_time", lambda do: (2.0, do()))
    device = jax.local_devices()[0]
    assert work.product_flops(device)[0] == 4 * (2 * 64**3) / 2  # four products, each of N³ pairs of * and +
    assert work.memory_bytes_per_s(device)[0] == 4 * 2 * (1 << 16) / 2  # four passes, which read and write all


def test_the_ways_to_a_device_and_back_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "device_put", lambda data, device: data)
    monkeypatch.setattr(work, "best_time", lambda do: (2.0, do()))
    back = iter([8.0, 4.0, 16.0])
    monkeypatch.setattr(work, "_time", lambda do: next(back))
    assert work.transfer_bytes_per_s(SimpleNamespace(platform="gpu")) == ((1 << 16) / 2, (1 << 16) / 4)


def test_the_shortest_time_counts_after_one_to_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    times = iter([3.0, 1.0, 2.0])

    def timed(do: Callable[[], object]) -> float:
        calls.append("timed")
        do()
        return next(times)

    monkeypatch.setattr(work, "_time", timed)
    assert work.best_time(lambda: calls.append("done") or jnp.ones(1)) == (1.0, 1)
    assert calls == ["done", *["timed", "done"] * 3]


def test_a_word_that_memory_loses_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "invert", lambda words, times: words.at[2].set(0))
    assert work.memory_bytes_per_s(jax.local_devices()[0])[1] == 1


def test_a_cpu_has_no_way_between_host_and_device() -> None:
    assert work.transfer_bytes_per_s(jax.local_devices()[0]) is None
