"""``make soak``: an ``up`` killed at random moments converges at the next one, without an orphan or a duplicate."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator

import pytest

from local.machines import list_machines
from local.podman import ROOT_LABEL
from tests.end_to_end.conftest import Checkout

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("SOAK_KILLS", "20"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.fixture
def moments() -> Iterator[float]:
    """Seconds into an ``up``; the seed is printed, so that a failure can be had again."""
    print(f"SOAK_SEED={SEED}")
    generator = random.Random(SEED)
    return (generator.uniform(0.5, 30.0) for _ in range(KILLS))


@pytest.mark.real
def test_an_up_killed_at_random_moments_converges(checkout: Checkout, moments: Iterator[float]) -> None:
    _kill_at(moments, checkout)


@pytest.mark.hosts
def test_an_up_of_machines_killed_at_random_moments_converges(
    host_checkout: Checkout, moments: Iterator[float]
) -> None:
    _kill_at(moments, host_checkout)
    assert sorted(found.running for found in list_machines(host_checkout.root)) == [True, True, True]
    listing = ["podman", "ps", "--all", "--quiet", f"--filter=label={ROOT_LABEL}={host_checkout.root.path}"]
    assert (
        len(subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()) == 3
    )  # two nodes, and what watches them


def _kill_at(moments: Iterator[float], checkout: Checkout) -> None:
    for round_number, moment in enumerate(moments):
        process = checkout.start("up")
        time.sleep(moment)
        process.kill()
        process.communicate()
        if round_number % 5 == 4:  # let one round in five end, and start the next from nothing
            _must_converge(checkout)
            checkout.down()
    _must_converge(checkout)


def _must_converge(checkout: Checkout) -> None:
    data, told = checkout.aidc("up")
    assert data["passed"], told
    assert checkout.duplicates() == []
    assert len(checkout.aws("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]) == 1
    assert len(checkout.kubernetes().get("/api/v1/nodes")["items"]) == 2
    again, _ = checkout.aidc("up")
    assert not any(number for op, number in again["changes"].items() if op != "same")
