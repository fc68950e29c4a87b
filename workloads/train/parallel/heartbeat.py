"""Signs of life: where each process is, so that a hang names whom the others wait for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from train.config.job import Job
from train.parallel.peers import Peers
from train.parallel.watchdog import within

PERIOD_S = 1.0
_PAUSE_S = 2.5 * PERIOD_S  # who has given no sign meanwhile, gives none
_ANSWER_S = 4.0  # for the coordinator, beyond the pause


@dataclass(frozen=True)
class Beat:
    """The newest sign of one process: how many it gave, and at which of its stations it is."""

    number: int
    station: int
    where: str
    node: str


Beats = Mapping[int, Beat]


class Heartbeat:
    """Gives this process's signs from a thread, and reads the others' when something takes too long.

    All processes pass the same stations in the same order, so whoever is at an earlier one is waited for.
    """

    def __init__(self, job: Job, peers: Peers) -> None:
        self._job, self._peers = job, peers
        self._station, self._where = 0, "starting"
        self._has_begun = False

    def at(self, where: str) -> None:
        """The next station."""
        self._station, self._where = self._station + 1, where

    def start(self) -> None:
        """Give signs from now on."""
        if self._job.processes > 1:
            self._has_begun = True
            threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        number = 0
        while True:
            number += 1
            sign = [number, self._station, self._where, self._job.node]
            self._peers.publish(f"train/beat/{self._job.index}", json.dumps(sign))
            time.sleep(PERIOD_S)

    def missing(self) -> str:
        """Whom the others wait for, in words; takes some seconds. Empty for a process alone, and before the start."""
        return self._told_by(missing)

    def silent(self) -> str:
        """Who gives no sign of life, in words; takes some seconds. Empty where all do, and as for :meth:`missing`."""
        return self._told_by(silent)

    def _told_by(self, judge: Callable[[Beats, Beats, int], str]) -> str:
        if not self._has_begun:  # that this process's own signs are not there then says nothing of the coordinator
            return ""
        found = within(_PAUSE_S + _ANSWER_S, lambda: self._compare(judge))
        return f"process 0 at {self._job.coordinator}, which coordinates, does not answer" if found is None else found

    def _compare(self, judge: Callable[[Beats, Beats, int], str]) -> str | None:
        before = self._read()
        time.sleep(_PAUSE_S)
        after = self._read()  # where not even this process's own signs are, nobody keeps them
        return judge(before, after, self._job.processes) if self._job.index in after else None

    def _read(self) -> dict[int, Beat]:
        texts = {index: self._peers.published(f"train/beat/{index}") for index in range(self._job.processes)}
        return {index: Beat(*json.loads(text)) for index, text in texts.items() if text}


def silent(before: Beats, after: Beats, processes: int) -> str:
    """From two readings, some seconds apart: who gives no sign; empty where all do."""
    found = [index for index in range(processes) if index not in after or after[index] == before.get(index)]
    return "; ".join(f"{_who(index, after)} gives no sign of life" for index in found)


def missing(before: Beats, after: Beats, processes: int) -> str:
    """From two readings, some seconds apart: who gives no sign, else who is behind, else that nobody is."""
    if gone := silent(before, after, processes):
        return gone
    ahead = max(beat.station for beat in after.values())
    behind = [index for index, beat in after.items() if beat.station < ahead]
    if not behind:
        return "all processes are alive and have come to it: a device or a link hangs"
    others = next(beat.where for beat in after.values() if beat.station == ahead)
    stuck = "; ".join(f"{_who(index, after)} is alive and still at: {after[index].where}" for index in behind)
    return f"{stuck} (others are at: {others})"


def _who(index: int, beats: Beats) -> str:
    return f"process {index} on {beats[index].node}" if index in beats else f"process {index}"
