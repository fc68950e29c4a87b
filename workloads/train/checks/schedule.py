"""Who measures when: pairs so that all meet all, and turns for processes that share a machine."""

from __future__ import annotations

Pair = tuple[int, int]


def tournament(players: int) -> list[list[Pair]]:
    """Rounds of disjoint pairs in which every two meet once: n - 1 rounds, or n with one resting in each.

    The circle method: the first stays, the others move round by one place.
    """
    seats: list[int | None] = [*range(players), *([None] if players % 2 else [])]
    rounds: list[list[Pair]] = []
    for _ in range(len(seats) - 1):
        facing = zip(seats[: len(seats) // 2], reversed(seats), strict=False)
        rounds.append([(min(a, b), max(a, b)) for a, b in facing if a is not None and b is not None])
        seats = [seats[0], seats[-1], *seats[1:-1]]
    return rounds


def swaps(pairs: list[Pair], devices_per_process: int) -> list[Pair]:
    """The permutation in which the devices of both of each pair swap, the first with the first and so on."""
    both = [*pairs, *((b, a) for a, b in pairs)]
    return [
        (a * devices_per_process + d, b * devices_per_process + d) for a, b in both for d in range(devices_per_process)
    ]


def are_apart(machines: list[str]) -> bool:
    """Whether each process has a machine to itself."""
    return len(set(machines)) == len(machines)


def turn_of(machines: list[str], index: int) -> tuple[int, int]:
    """Which turn process ``index`` has among those of its machine, and how many they are."""
    return machines[:index].count(machines[index]), machines.count(machines[index])


def shared_cpu(allowed: list[list[int]], machines: list[str], index: int) -> int | None:
    """The CPU on which the processes of a machine take their turns; None for a process alone, or with none in common.

    Args:
        allowed: on which CPUs each process may run.
    """
    own = [set(cpus) for cpus, machine in zip(allowed, machines, strict=True) if machine == machines[index]]
    common = set[int].intersection(*own)
    return max(common) if len(own) > 1 and common else None
