"""How to train: the model's shape, the schedule, and what a run may do without."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ModelConfig(_Model):
    """Architecture and size of the transformer."""

    architecture: Literal["llama", "gpt2"] = Field(
        default="llama", description="RoPE, RMSNorm, grouped-query attention and SwiGLU; or GPT-2's parts"
    )
    layers: PositiveInt = Field(default=2, description="blocks of attention and feed-forward")
    width: PositiveInt = Field(default=64, description="numbers in the vector of a token; a multiple of 2 × heads")
    heads: PositiveInt = Field(default=4, description="heads of queries")
    kv_heads: PositiveInt | None = Field(default=None, description="heads of keys and values; absent: as many as heads")
    hidden: PositiveInt | None = Field(
        default=None, description="width inside the feed-forward; absent: 8/3 of the width for SwiGLU, 4 × for GELU"
    )
    context: PositiveInt = Field(default=64, description="tokens that a prediction may look back on")
    vocabulary: Annotated[int, Field(ge=256)] = Field(default=256, description="tokens; 256: the bytes")
    attention: Literal["auto", "plain", "xla", "cudnn"] = Field(
        default="auto", description="implementation; auto: the fastest on the chip, by timing"
    )
    remat: Literal["none", "dots", "block"] = Field(
        default="none",
        description="computed again in the backward pass to save memory: nothing; all but products; whole blocks",
    )

    @model_validator(mode="after")
    def _heads_divide(self) -> ModelConfig:
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} must be a multiple of 2 × heads ({2 * self.heads}): RoPE turns pairs")
        if self.heads % self.key_heads:
            raise ValueError(f"heads {self.heads} must be a multiple of kv_heads {self.kv_heads}: each serves as many")
        return self

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.kv_heads or self.heads

    @property
    def head_width(self) -> int:
        """Numbers in one head."""
        return self.width // self.heads

    @property
    def hidden_width(self) -> int:
        """Width inside the feed-forward. SwiGLU has three matrices: 8/3 keeps the size of the usual 4×."""
        usual = 4 * self.width if self.architecture == "gpt2" else 8 * self.width // 3 // 16 * 16
        return self.hidden or usual or self.width


# What a run says of itself goes on top of these. Sizes: GPT-2's smallest; TinyLlama's, which is 1.1 billion.
PRESETS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "small": {},
        "124m": {
            "model": {
                "architecture": "gpt2", "layers": 12, "width": 768, "heads": 12, "context": 1024, "vocabulary": 50304
            },
            "batch_size": 64, "accumulate": 4, "learning_rate": 6e-4, "warmup_steps": 20, "corpus_bytes": 16 << 20,
        },
        "1b": {
            "model": {
                "layers": 22, "width": 2048, "heads": 32, "kv_heads": 4, "hidden": 5632, "context": 2048,
                "vocabulary": 32000, "remat": "dots",
            },
            "batch_size": 32, "accumulate": 8, "learning_rate": 4e-4, "warmup_steps": 20, "corpus_bytes": 16 << 20,
        },
    }
)  # fmt: skip


_OF_TRAINING = {"learning_rate", "warmup_steps", "weight_decay", "clip_norm", "spike_nats", "seed", "steps"}
_HOW_IT_IS_COMPUTED = {"attention", "remat"}  # and not what


class TrainConfig(_Model):
    """One training job. Times are in seconds, sizes in bytes unless the name says otherwise.

    The defaults are as small as a training can be that still learns beyond doubt: most of their time is the compiler's.
    """

    preset: Literal["small", "124m", "1b"] = Field(
        default="small", description="where values come from that are not given: see PRESETS; small: the defaults"
    )
    job: str = Field(default="", description="name in the verdict; empty: JOB_NAME, else 'train'")
    model: ModelConfig = ModelConfig()
    steps: PositiveInt = Field(default=40, description="changes of the parameters; another number is another training")
    batch_size: PositiveInt = Field(
        default=16, description="sequences a step over all devices, rounded up so that each device gets as many"
    )
    accumulate: PositiveInt = Field(
        default=1, description="parts that a batch is computed in, one after the other, to need less memory"
    )
    fsdp: PositiveInt = Field(default=1, description="devices that share one copy of the parameters")
    tensor: PositiveInt = Field(default=1, description="devices that share each matrix product; divides kv_heads")
    learning_rate: PositiveFloat = Field(
        default=5e-3, description="the highest, after the warm-up; from there a cosine leads to a tenth of it"
    )
    warmup_steps: Annotated[int, Field(ge=0)] = Field(
        default=5, description="steps until learning_rate is reached; half of steps at most, and then cut to that"
    )
    weight_decay: Annotated[float, Field(ge=0)] = Field(default=0.1, description="AdamW's, of matrices only")
    clip_norm: PositiveFloat = Field(default=1.0, description="a gradient with a larger norm is made shorter")
    spike_nats: PositiveFloat = Field(
        default=3.0, description="a step whose loss is this far above its running mean changes nothing: it is skipped"
    )
    max_skipped: PositiveInt = Field(
        default=3,
        description="steps skipped in a row, for a spike or for numbers that are not finite, before it gives up",
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(
        default=0, description="of the first parameters and of the order of the text"
    )
    corpus_uri: str = Field(
        default="", description="folder or s3://bucket/prefix of token shards; empty: the standard library's sources"
    )
    verify_corpus: bool = Field(
        default=True,
        description="compare each shard of a folder with its digest, at every start; those of a bucket always are",
    )
    corpus_bytes: PositiveInt = Field(default=4 << 20, description="how much of the standard library's sources is read")
    min_loss_drop: Annotated[float, Field(ge=0)] = Field(
        default=1.5,
        description="nats per token that the validation loss must fall by; 40 steps make it fall by about 3, and by "
        "less where the vocabulary is larger than the bytes",
    )
    checkpoint_uri: str = Field(default="", description="s3://bucket/prefix or a folder; empty: no checkpoints")
    verdict_uri: str = Field(default="", description="s3://bucket/key or a file; empty: the verdict is only printed")
    checkpoint_every: PositiveInt = Field(
        default=20, description="steps between checkpoints; the last step always makes one"
    )
    keep_checkpoints: Annotated[int, Field(ge=2)] = Field(default=3, description="2 at least: one may be damaged")
    keep_every: Annotated[int, Field(ge=0)] = Field(
        default=0, description="checkpoints of steps that this divides are kept for good; 0: none is"
    )
    read_back: bool = Field(
        default=True,
        description="each checkpoint is read again before it counts: that the storage is sound is tested too",
    )
    checkpoint_timeout_s: PositiveFloat = Field(
        default=300.0,
        description="for the newest checkpoint to be read at the start, and for the last to be written; for all of "
        "corpus_uri to be read at the start too",
    )
    resume: bool = Field(
        default=True,
        description="begin after the newest checkpoint of this training; false: at step 0, whatever is there",
    )
    metrics_folder: str = Field(
        default="", description="for metrics.jsonl, train.prom and TensorBoard's event files; empty: none is written"
    )
    log_every: PositiveInt = Field(default=10, description="steps from one line of the log to the next")
    checks: Literal["auto", "strict", "report", "off"] = Field(
        default="auto",
        description="before training; strict: a slow node, or one of which it is not known, ends the job; report: it "
        "is told only; off: none but devices and one all-reduce; auto: strict where nodes have chips, else report, for "
        "the time of a CPU is shared with whatever else runs there. Wrong results always end the job",
    )
    checks_budget_s: PositiveFloat = Field(
        default=15.0, description="for more rounds while it is not known who is slow"
    )
    tolerated_slowness: Annotated[float, Field(ge=0.01, le=0.2)] | None = Field(
        default=None,
        description="share by which a worker may be slower than its peers and be sound; 0.02 more is serious. Absent: "
        "0.03, and 0.05 is serious, where nodes have chips, for sound ones differ at their power limit; of CPUs less",
    )
    startup_timeout_s: PositiveFloat = Field(default=120.0, description="for all processes to find each other")
    step_timeout_s: PositiveFloat = Field(
        default=45.0, description="for one step, collective or transfer; a hang ends here, and is told within a minute"
    )
    compilation_cache: str = Field(
        default="", description="folder for compiled programs; empty: JAX_COMPILATION_CACHE_DIR"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        """Values that are not given come from the preset, those of the model one by one."""
        name = given.get("preset") if isinstance(given, dict) else None
        preset = PRESETS.get(name) if isinstance(name, str) else None  # what else it may be is refused by its type
        if not preset:
            return given
        model = given.get("model", {})
        return {**preset, **given, "model": {**preset["model"], **model} if isinstance(model, dict) else model}

    @model_validator(mode="after")
    def _tensor_divides_heads(self) -> TrainConfig:
        if self.model.key_heads % self.tensor:
            raise ValueError(f"tensor {self.tensor} must divide the model's {self.model.key_heads} heads of keys")
        return self

    def training_digest(self, corpus_digest: str, batch_rows: int) -> str:
        """What makes two runs the same training: a checkpoint is resumed only by the digest that wrote it."""
        model = self.model.model_dump_json(exclude=_HOW_IT_IS_COMPUTED)
        text = f"{model} {self.model_dump_json(include=_OF_TRAINING)} {corpus_digest} {batch_rows}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def training_settings(self, corpus_digest: str) -> dict[str, Any]:
        """What that digest is made of, but for the rows, by name: in what two trainings differ."""
        model = self.model.model_dump(exclude=_HOW_IT_IS_COMPUTED)
        told = {**self.model_dump(include=_OF_TRAINING), **{f"model.{name}": value for name, value in model.items()}}
        return {**told, "digest of the text": corpus_digest}
