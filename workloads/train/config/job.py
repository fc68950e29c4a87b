"""One process's place in a job, read from its environment.

Everything comes as environment variables, as a pod gets them:

=========================  ==============================================================================
``TRAIN_CONFIG``           JSON of :class:`~train.config.settings.TrainConfig`; absent: all defaults
``ACCELERATOR``            JSON of :class:`Accelerator`, the node's row of the catalogue; absent: unchecked
``JAX_NUM_PROCESSES``      how many processes train together; absent: 1
``JOB_COMPLETION_INDEX``   which of them this one is, from 0
``JAX_COORDINATOR_ADDRESS``  host:port where process 0 listens; needed from 2 processes on
``NODE_NAME``              the node's name in the verdict; absent: the host's name
``JOB_NAME``               the job's name in the verdict, where TRAIN_CONFIG gives none
=========================  ==============================================================================
"""

from __future__ import annotations

import difflib
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from train.config.failure import Failure
from train.config.settings import ModelConfig, TrainConfig

_MOMENT_S = 1.0
_NEAR = 0.65  # vocab is near vocabulary, and depth not near width


class _Row(BaseModel):
    """A part of the catalogue. What is not told stays unknown; what is of no interest here is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Chip(_Row):
    """One accelerator chip: what its maker says of it."""

    name: str = ""
    memory_gib: PositiveFloat | None = None
    memory_bytes_per_s: PositiveFloat | None = None
    peak_bf16_flops: PositiveFloat | None = None


class BusBandwidth(_Row):
    """The all-reduce that somebody measured on healthy nodes, as bus bandwidth (nccl-tests' PERFORMANCE.md)."""

    nodes: PositiveInt
    message_bytes: PositiveInt
    bytes_per_s: PositiveFloat


class Accelerator(_Row):
    """The part of a catalogue row that the job checks."""

    instance_type: str = ""
    vendor: str = ""
    memory_gib: PositiveFloat | None = None
    chips: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="accelerator chips in one node; 0: CPU only"
    )
    devices: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="devices that JAX shows of them; absent: as many as chips"
    )
    chip: Chip | None = None
    efa_interfaces: Annotated[int, Field(ge=0)] = Field(default=0, description="Elastic Fabric Adapters given to a pod")
    all_reduce: tuple[BusBandwidth, ...] = ()
    peak_bf16_flops: PositiveFloat | None = Field(default=None, description="of all chips of a node, a second")


@dataclass(frozen=True)
class Job:
    """One process's place in a job."""

    config: TrainConfig
    accelerator: Accelerator
    name: str
    node: str
    processes: int
    index: int
    coordinator: str
    emulated_devices: int = 0
    """How many devices JAX makes of this node's CPUs in place of its accelerators; 0: none is emulated."""

    @property
    def first(self) -> bool:
        """Whether this process speaks for the job."""
        return self.index == 0

    @property
    def is_strict(self) -> bool:
        """Whether a node that is slow, or of which it is not known, ends the job."""
        return self.config.checks == "strict" or (self.config.checks == "auto" and bool(self.accelerator.chips))

    @property
    def checks_budget_s(self) -> float:
        """Seconds for more rounds; where slowness is only told, a moment must do."""
        return self.config.checks_budget_s if self.is_strict else min(_MOMENT_S, self.config.checks_budget_s)

    @property
    def devices_per_process(self) -> int | None:
        """How many devices JAX must show on this node; None where the job was not told. A CPU stands in for a chip."""
        row = self.accelerator
        shown = row.chips if row.devices is None or self.emulated_devices else row.devices
        return None if shown is None else max(1, shown)


_M = TypeVar("_M", bound=BaseModel)


def _parse(model: type[_M], variable: str, environ: Mapping[str, str]) -> _M:
    text = environ.get(variable, "").strip() or "{}"
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        problems = "; ".join(_problem(item["loc"], item["type"], item["msg"], model) for item in error.errors())
        hint = f": {variable} is JSON text, not a file" if _is_path(text) else ""
        raise Failure(f"{variable} is not usable: {problems}{hint}") from None


def _is_path(text: str) -> bool:
    return not text.startswith(("{", "[", '"')) and ("/" in text or text.endswith(".json"))


def _problem(location: tuple[int | str, ...], kind: str, message: str, model: type[BaseModel]) -> str:
    """One wrong value in words; the value itself is left out, for it may be a secret."""
    key = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        known = ModelConfig if location[0] == "model" else model
        near = difflib.get_close_matches(str(location[-1]), known.model_fields, n=1, cutoff=_NEAR)
        hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known.model_fields)}"
        return f"{key} is unknown ({hint})"
    return f"{key}: {message}" if key else message


def _number(environ: Mapping[str, str], variable: str, default: int) -> int:
    text = environ.get(variable, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit():
        raise Failure(f"{variable} must be a whole number, not {text!r}")
    return int(text)


def load(environ: Mapping[str, str]) -> Job:
    """Read the job from the environment; raises :class:`Failure` naming the variable that is missing or wrong."""
    config = _parse(TrainConfig, "TRAIN_CONFIG", environ)
    processes = _number(environ, "JAX_NUM_PROCESSES", 1)
    if processes < 1:
        raise Failure("JAX_NUM_PROCESSES must be at least 1")
    if processes > 1 and not environ.get("JOB_COMPLETION_INDEX"):
        raise Failure(f"JOB_COMPLETION_INDEX is missing: each of {processes} processes must know which one it is")
    index = _number(environ, "JOB_COMPLETION_INDEX", 0)
    if index >= processes:
        raise Failure(f"JOB_COMPLETION_INDEX {index} is not below JAX_NUM_PROCESSES {processes}")
    return Job(
        config=config,
        accelerator=_parse(Accelerator, "ACCELERATOR", environ),
        name=config.job or environ.get("JOB_NAME", "") or "train",
        node=environ.get("NODE_NAME", "") or socket.gethostname(),
        processes=processes,
        index=index,
        coordinator=_coordinator(environ, processes),
        emulated_devices=_number(environ, "EMULATED_DEVICES", 0),
    )


def _coordinator(environ: Mapping[str, str], processes: int) -> str:
    address = environ.get("JAX_COORDINATOR_ADDRESS", "")
    if processes == 1:
        return ""
    if not address:
        raise Failure(f"JAX_COORDINATOR_ADDRESS is missing: {processes} processes cannot find each other without it")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise Failure(f"JAX_COORDINATOR_ADDRESS must be host:port, not {address!r}")
    return address
