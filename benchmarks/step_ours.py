"""A process that takes training steps with workloads/train and tells how long they took; see train_step.py."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from train.checkpoint.arrays import named
from train.config.job import load
from train.config.settings import TrainConfig
from train.parallel.mesh import make_mesh, to_devices
from train.parallel.peers import Peers
from train.train import Trainer

WARM = 10


def main(settings: Path, timed: int) -> dict[str, object]:
    """Steps on one batch, whose first losses show what is computed; the parameters begin as the other side's do."""
    Peers(load({})).connect()  # the settings of a process that a job makes
    trainer = Trainer(TrainConfig.model_validate_json(settings.read_text()), make_mesh())
    initial = trainer.initial()
    tokens = np.load(settings.with_name("tokens.npy"))
    np.savez(settings.with_name("initial.npz"), **dict(named(initial["params"])))
    state, losses, seconds = trainer.place(initial), list[float](), list[float]()
    for _ in range(WARM + timed):
        start = time.perf_counter()
        own = trainer.own(state, to_devices(trainer.mesh, tokens))
        state, told = trainer.step(state, own)
        losses.append(float(np.asarray(told.addressable_data(0))[0]))
        seconds.append(time.perf_counter() - start)
    return {"seconds": sorted(seconds[WARM:])[timed // 2], "losses": losses[:5]}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
