"""What is asked, and what a plan says: plain frozen values with their units in their names.

Bytes are bytes, seconds are seconds, and GB and TB in text are decimal, as storage and networks are sold. Device memory
is the exception: it is in GiB, as the makers say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
GIB = 2**30


class Precision(StrEnum):
    """What matrix multiplications are done in."""

    BF16 = "bf16"
    FP8 = "fp8"
    FP32 = "fp32"


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """A dense decoder-only transformer.

    Attributes:
        parameters: all of them, embeddings included.
        layers: transformer blocks.
        width: the residual stream, d.
        sequence: tokens in one training sequence, T.
        vocabulary: tokens that the output layer tells apart.
    """

    parameters: int
    layers: int
    width: int
    sequence: int
    vocabulary: int = 128_000

    @property
    def heads(self) -> int:
        """Attention heads of 128 wide each, the size of GPT-3's and Llama's."""
        return max(1, self.width // 128)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked.

    Attributes:
        model: what is trained.
        tokens: on how many tokens.
        precision: of the matrix multiplications.
        deadline_s: the longest it may take; ``None``: a year.
        budget_usd: what the accelerator machines may cost; ``None``: not limited.
        batch_tokens: tokens in one step over all chips.
        mfu: the utilisation to count with instead of the measured ones; a fraction.
        instance_types: only these; empty: all with accelerators.
        write_bytes_per_s: what one machine writes of a checkpoint.
    """

    model: ModelShape
    tokens: int
    batch_tokens: int
    precision: Precision = Precision.BF16
    deadline_s: float | None = None
    budget_usd: float | None = None
    mfu: float | None = None
    instance_types: tuple[str, ...] = ()
    write_bytes_per_s: float = 1e9


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the model is cut over the chips; the product of the three is the number of chips.

    Attributes:
        data: replicas that share parameters and optimizer state among them (FSDP).
        tensor: chips that share each layer (TP), all in one NVLink domain.
        pipeline: stages of layers (PP).
        batch_sequences: sequences in one step, the same number for each replica.
        memory_bytes: what one chip holds.
    """

    data: int
    tensor: int
    pipeline: int
    batch_sequences: int
    memory_bytes: float

    def __str__(self) -> str:
        cuts = ((self.data, "FSDP"), (self.tensor, "TP"), (self.pipeline, "PP"))
        return " × ".join(f"{name} {number:,}" for number, name in cuts if number > 1) or "one chip"


@dataclass(frozen=True, kw_only=True)
class Option:
    """One way to do it: some machines of one type.

    ``None`` is unknown, and never zero.

    Attributes:
        instance_type: the catalogue's name.
        chip: the chip's name.
        machines: how many.
        chips: chips over all of them.
        spares: machines to have beside them while failed ones are replaced.
        layout: how the model is cut.
        chip_memory_bytes: device memory of one chip.
        mfu: model FLOP/s utilisation counted with, a fraction.
        mfu_source: where that comes from.
        step_s: seconds a step.
        mttf_s: mean time to a failure that stops the training.
        failures: how many are to be expected in the run.
        checkpoint_write_s: seconds that a checkpoint stops the training.
        checkpoint_interval_s: seconds of training between two checkpoints, the optimum.
        goodput: the part of the time that ends up in the model.
        duration_s: seconds from start to end, failures included.
        cost_usd: of the machines, without spares, on demand.
        price_source: where the price was read, and when.
        power_w: what the machines draw at most, with cooling.
        network_bits_per_s: what one machine exchanges with the others while it trains, at least.
        network_peak_bits_per_s: what one machine's network carries.
        room: how many times larger a model the same machines could train within the same limits.
    """

    instance_type: str
    chip: str
    machines: int
    chips: int
    spares: int
    layout: Layout
    chip_memory_bytes: float
    mfu: float
    mfu_source: str
    step_s: float
    mttf_s: float
    failures: float
    checkpoint_write_s: float
    checkpoint_interval_s: float
    goodput: float
    duration_s: float
    cost_usd: float | None
    price_source: str | None
    power_w: float | None
    network_bits_per_s: float
    network_peak_bits_per_s: float | None
    room: float

    @property
    def energy_kwh(self) -> float | None:
        """Energy of the run at that power, an upper bound."""
        return None if self.power_w is None else self.power_w * self.duration_s / HOUR_S / 1000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The answer.

    Attributes:
        request: what was asked.
        flops: of the training, attention included.
        parameter_flops: the 6ND of it.
        chinchilla_tokens: what a model of this size is trained on where compute is all that counts.
        loss: what the scaling law gives, nats a token on its own data: for comparison, not as a promise.
        checkpoint_bytes: weights and optimizer state.
        data_bytes: the tokens.
        storage_bytes: data and the checkpoints that are kept.
        options: none is worse than another in everything; the cheapest known first.
        best: what each aim's best option is, by its place in ``options``; an aim without one is missing.
        left_out: instance type to the reason why it is no option.
    """

    request: Request
    flops: float
    parameter_flops: float
    chinchilla_tokens: int
    loss: float
    checkpoint_bytes: float
    data_bytes: float
    storage_bytes: float
    options: tuple[Option, ...]
    best: dict[str, int]
    left_out: dict[str, str]
