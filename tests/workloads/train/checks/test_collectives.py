from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import jax
import numpy as np
import pytest
from jax.sharding import Mesh
from train.checks import collectives
from train.config.failure import Failure
from train.parallel.mesh import make_mesh


@pytest.mark.parametrize("kind", collectives.KINDS, ids=lambda kind: kind.name)
def test_each_collective_is_right_and_timed(kind: collectives.Collective) -> None:
    timed = collectives.time_one(make_mesh(), kind, message_bytes=8_000)
    assert (timed.name, timed.message_bytes) == (kind.name, 8_000)
    assert 0 < timed.seconds < 10
    assert timed.bus_bytes_per_s == pytest.approx(kind.bus_part(2) * 8_000 / timed.seconds)


@pytest.mark.parametrize(
    ("platform", "sizes"), [("cpu", collectives.CPU_BYTES), ("gpu", collectives.CHIP_BYTES)], ids=["cpu", "gpu"]
)
def test_every_collective_is_timed_at_every_size(
    platform: str, sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[tuple[str, int]] = []
    monkeypatch.setattr(collectives, "time_one", lambda mesh, kind, size: timed.append((kind.name, size)))
    mesh = SimpleNamespace(devices=np.array([SimpleNamespace(platform=platform)] * 2))
    collectives.time_all(cast(Mesh, mesh))
    names = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all")
    assert len(set(sizes)) == 2
    assert sorted(timed) == sorted(product(names, sizes))


def test_a_wrong_sum_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = jax.lax.psum
    wrong: Any = lambda x, axis: right(x, axis).at[3].add(1)  # noqa: E731
    monkeypatch.setattr(jax.lax, "psum", wrong)
    with pytest.raises(Failure, match="the all-reduce over 2 devices is wrong in 1 of 1000 numbers"):
        collectives.time_one(make_mesh(), collectives.ALL_REDUCE, message_bytes=4_000)


@pytest.mark.parametrize("kind", collectives.KINDS, ids=lambda kind: kind.name)
def test_what_must_come_out_is_worked_out_without_the_devices(kind: collectives.Collective) -> None:
    assert len(kind.expected(4, 40, 3)) in (10, 40)
    first, last = kind.expected(4, 40, 0), kind.expected(4, 40, 3)
    assert (first.tolist() == last.tolist()) == (kind.name in ("all-reduce", "all-gather"))


def test_bus_bandwidths_are_those_of_nccl_tests() -> None:
    assert [kind.bus_part(8) for kind in collectives.KINDS] == [1.75, 0.875, 0.875, 0.875]
