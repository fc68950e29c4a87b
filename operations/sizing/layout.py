"""How to cut a model over chips: FSDP first, then tensor parallelism inside a machine, then a pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from operations.sizing.formulas import activation_bytes_per_chip, state_bytes_per_chip
from operations.sizing.machines import Machine
from operations.sizing.model import Layout, ModelShape, Request

BATCH_TOLERANCE = 0.25
MOST_TENSOR = 8
"""The widest tensor parallelism, however large the domain: the widest that the measured utilisations were had with."""


def layouts(request: Request, machine: Machine, machines: int) -> Iterator[Layout]:
    """The layouts that fit, the simplest first: the fewest cuts, tensor before pipeline.

    Tensor parallelism stays in the NVLink domain and divides the heads; stages divide the layers; every replica has the
    same number of sequences, at least one, and in a pipeline at least as many as it has stages, or the stages wait.
    The batch becomes the nearest that comes out even, and a layout that would change it by more than a quarter is none.
    """
    chips = machines * machine.chips
    wanted = max(1.0, request.batch_tokens / request.model.sequence)
    for tensor, pipeline in _cuts(request.model, machine.domain):
        if chips % (tensor * pipeline):
            continue
        data = chips // (tensor * pipeline)
        each = round(wanted / data)
        if each < pipeline or abs(each * data - wanted) > BATCH_TOLERANCE * wanted:
            continue
        memory = memory_bytes(request, chips, tensor)
        if memory <= machine.usable_bytes:
            yield Layout(data=data, tensor=tensor, pipeline=pipeline, batch_sequences=each * data, memory_bytes=memory)


def memory_bytes(request: Request, chips: int, tensor: int) -> float:
    """What one of ``chips`` chips holds: its part of the state, and its activations."""
    state = state_bytes_per_chip(request.model, request.precision, chips, tensor)
    return state + activation_bytes_per_chip(request.model, request.precision, tensor)


@lru_cache(maxsize=64)
def _cuts(model: ModelShape, domain: int) -> tuple[tuple[int, int], ...]:
    """(tensor, pipeline), the simplest first: by their product, and the larger tensor part first."""
    tensors = [
        number
        for number in range(1, min(domain, MOST_TENSOR) + 1)
        if domain % number == 0 and model.heads % number == 0
    ]
    pipelines = [number for number in range(1, model.layers + 1) if model.layers % number == 0]
    pairs = [(tensor, pipeline) for tensor in tensors for pipeline in pipelines]
    return tuple(sorted(pairs, key=lambda pair: (pair[0] * pair[1], -pair[0])))
