"""How often training stops, how often to save it, and how much of the time ends up in the model.

Sources:

- [RSC]    Kokolis et al. 2024 (Meta), "Revisiting Reliability in Large-Scale Machine Learning Research Clusters",
           arXiv 2410.21680: mean time to failure 47 days for jobs of 8 GPUs, about 8 hours for 1,024, and 1.8 hours
           projected for 16,384.
- [LLAMA3] Grattafiori et al. 2024, "The Llama 3 Herd of Models", section 3.3.4: 419 unexpected interruptions in 54 days
           on 16,384 H100s, 78 % of them of hardware; more than 90 % effective training time.
- [YOUNG]  Young 1974, "A first order approximation to the optimum checkpoint interval".
- [DALY]   Daly 2006, "A higher order estimate of the optimum checkpoint interval for restart dumps".
"""

from __future__ import annotations

import itertools
import math

from operations.sizing.model import DAY_S, HOUR_S

LLAMA3_CHIPS = 16_384
LLAMA3_INTERRUPTIONS = 419
LLAMA3_DAYS = 54
LLAMA3_MTTF_S = LLAMA3_DAYS * DAY_S / LLAMA3_INTERRUPTIONS  # 3.1 h

# At 16,384 there are two: [RSC]'s projection and [LLAMA3]'s count. Their geometric mean, 2.4 h, is taken.
MTTF_ANCHORS = (
    (8, 47 * DAY_S),
    (1024, 8 * HOUR_S),
    (LLAMA3_CHIPS, math.sqrt(1.8 * HOUR_S * LLAMA3_MTTF_S)),
)
HARDWARE_SHARE = 0.78  # [LLAMA3]
RESTART_S = 600.0
"""From a failure to training again, without reading the checkpoint. [LLAMA3]'s 90 % over 466 interruptions leaves 17
minutes for each, the lost work included."""
REPAIR_S = DAY_S
"""How long a machine that failed is away. An assumption."""


def mttf_s(chips: int) -> float:
    """Mean time to a failure that stops a job on ``chips`` chips.

    Between the anchors a straight line through the logarithms of both; outside them inversely proportional, as for
    parts that fail independently. The anchors are GPUs in machines of eight; other chips are taken to fail as often.
    """
    (first, first_s), (last, last_s) = MTTF_ANCHORS[0], MTTF_ANCHORS[-1]
    if chips <= first:
        return first_s * first / chips
    for (low, low_s), (high, high_s) in itertools.pairwise(MTTF_ANCHORS):
        if chips <= high:
            part = math.log(chips / low) / math.log(high / low)
            return low_s * (high_s / low_s) ** part
    return last_s * last / chips


def young_interval_s(write_s: float, mttf: float) -> float:
    """The first-order optimum √(2δM) [YOUNG]: it minimises δ/τ + τ/2M exactly."""
    return math.sqrt(2 * write_s * mttf)


def checkpoint_interval_s(write_s: float, mttf: float) -> float:
    """Seconds of training between two checkpoints that lose the least time [DALY]."""
    if write_s >= 2 * mttf:
        return mttf
    ratio = write_s / (2 * mttf)
    return young_interval_s(write_s, mttf) * (1 + math.sqrt(ratio) / 3 + ratio / 9) - write_s


def time_factor(interval_s: float, write_s: float, restart_s: float, mttf: float) -> float:
    """Expected time from start to end ÷ the time without failures and checkpoints [DALY].

    Failures come independently of each other at the rate 1/M, also while saving and restarting. Infinite where they
    come faster than anything can be finished.
    """
    try:
        return mttf / interval_s * math.exp(restart_s / mttf) * math.expm1((interval_s + write_s) / mttf)
    except OverflowError:
        return math.inf


def spares(chips: int) -> int:
    """Machines to have beside those that train: as many as are away at one time, and at least one."""
    return max(1, math.ceil(HARDWARE_SHARE * REPAIR_S / mttf_s(chips)))
