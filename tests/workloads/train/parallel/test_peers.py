"""What a process says of those that it cannot find."""

from __future__ import annotations

from train.config.job import Accelerator, Job
from train.config.settings import TrainConfig
from train.parallel.peers import Peers


def test_a_coordinator_whose_name_has_no_address_points_to_names_and_not_to_processes() -> None:
    peers = Peers(Job(TrainConfig(), Accelerator(), "job", "node", 2, 1, "smoke-test-0.invalid:55527"))
    assert peers.diagnose().startswith("the name smoke-test-0.invalid has no address (")
