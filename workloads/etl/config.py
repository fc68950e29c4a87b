"""What a run is told, and the one error that it answers a user's mistake with."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, field_validator, model_validator

AGAIN = "then run it again: finished shards stay"
Share = Annotated[float, Field(ge=0, le=1)]


class Failure(Exception):
    """A reason to stop, in one sentence for the operator: what, where, and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(" ".join(reason.split()))


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CleanConfig(_Model):
    """When a document is dropped. Thresholds are Gopher's (Rae et al. 2021, appendix A.1); docs/etl.md compares.

    ``enabled`` false keeps all that is text: source code and tables fail rules that were made for prose. So do scripts
    without blanks between words (Chinese, Japanese, Thai): docs/etl.md has what to set for them.
    """

    enabled: bool = Field(default=True, description="false: all that is text is kept")
    min_words: PositiveInt = Field(default=50, description="a document of fewer words is dropped")
    max_words: PositiveInt = Field(default=100_000, description="and one of more")
    min_mean_word_length: Annotated[float, Field(ge=0)] = Field(default=3.0, description="characters a word")
    max_mean_word_length: Annotated[float, Field(gt=0)] = Field(default=10.0, description="characters a word")
    max_symbol_ratio: Share = Field(default=0.1, description="'#' and ellipses a word, together")
    max_bullet_lines: Share = Field(default=0.9, description="lines that begin with a bullet")
    max_ellipsis_lines: Share = Field(default=0.3, description="lines that end with an ellipsis")
    min_alphabetic_words: Share = Field(default=0.8, description="words with at least one letter")
    min_stop_words: Annotated[int, Field(ge=0)] = Field(
        default=0, description="of the, be, to, of, and, that, have, with; Gopher asks 2, which only English has"
    )
    max_repeated_lines: Share = Field(default=0.3, description="lines that stood before in the document")
    max_repeated_line_characters: Share = Field(default=0.2, description="characters in such lines")
    max_top_ngrams: tuple[Share, Share, Share] = Field(
        default=(0.2, 0.18, 0.16), description="characters in the most frequent 2-, 3- and 4-gram of words"
    )
    placeholders: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=("lorem ipsum",),
        description="a document with one of these, in whatever case, is dropped (C4, Raffel et al. 2020)",
    )

    @field_validator("placeholders")
    @classmethod
    def _whatever_their_case(cls, placeholders: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(str.lower, placeholders))  # as the text is that they are looked for in


class NearDuplicates(_Model):
    """MinHash LSH: two documents are compared when they agree in all ``rows`` of one of ``bands``.

    With similarity s that happens with probability 1 - (1 - s^rows)^bands; the later of two is dropped when their
    signatures agree in ``threshold`` of the bands × rows places. The curve of the defaults is in docs/etl.md.
    """

    enabled: bool = Field(default=True, description="false: exact duplicates alone are dropped")
    threshold: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.75, description="share of the signatures' places that agree"
    )
    bands: PositiveInt = Field(
        default=16, description="groups of places, of which one must agree whole before two are compared"
    )
    rows: PositiveInt = Field(default=8, description="places in a band")
    shingle_words: PositiveInt = Field(default=5, description="words that make one element of the compared sets")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(default=1, description="of the hash functions")


class EtlConfig(_Model):
    """One run. ``workers`` and ``batch_bytes`` change its speed and memory, and not one byte of what it writes."""

    sources: tuple[str, ...] = Field(min_length=1, description="files, folders or s3://bucket/prefix, in this order")
    output: str = Field(min_length=1, description="a folder of its own, or s3://bucket/prefix")
    catalogue: str = Field(
        default="",
        pattern="(^|[^/])$",
        description="a file or s3:// address for a line of JSON on the run, outside of output and sources; empty: none",
    )
    text_field: str = Field(default="text", description="where a line of *.jsonl holds its text")
    text_suffixes: tuple[str, ...] = Field(default=(".txt",), description="files that are one document each")
    jsonl_suffixes: tuple[str, ...] = Field(default=(".jsonl", ".ndjson"), description="one document a line")
    max_document_bytes: PositiveInt = Field(default=10 << 20, description="longer ones are dropped unread")
    clean: CleanConfig = CleanConfig()
    near_duplicates: NearDuplicates = NearDuplicates()
    tokenizer: str = Field(default="", description="path or s3:// address of a tokenizer.json; empty: train one")
    vocabulary: Annotated[int, Field(ge=257, le=2**24)] = Field(default=32_768, description="of a trained tokenizer")
    tokenizer_sample_bytes: PositiveInt = Field(default=64 << 20, description="cleaned text that it is trained on")
    shard_tokens: Annotated[int, Field(ge=16)] = Field(default=1 << 24, description="the unit that is lost by a kill")
    workers: Annotated[int, Field(ge=0)] = Field(default=0, description="processes; 0: one a core")
    batch_bytes: PositiveInt = Field(default=1 << 20, description="text that goes to a process at a time")

    @model_validator(mode="after")
    def _suffixes_begin_with_a_dot(self) -> EtlConfig:
        for suffix in (*self.text_suffixes, *self.jsonl_suffixes):
            if not suffix.startswith("."):
                raise ValueError(f"suffix {suffix!r} must begin with a dot")
        if both := set(self.text_suffixes) & set(self.jsonl_suffixes):
            raise ValueError(f"suffix {min(both)!r} cannot be both: text_suffixes and jsonl_suffixes")
        return self

    def content(self) -> dict[str, Any]:
        """What decides the bytes that are written, as JSON has it."""
        return json.loads(self.model_dump_json(exclude={"output", "catalogue", "workers", "batch_bytes"}))


def parse(text: str, where: str) -> EtlConfig:
    """Read the JSON of a configuration; raises :class:`Failure` with every wrong field and what is allowed."""
    try:
        return EtlConfig.model_validate_json(text)
    except ValidationError as error:
        raise Failure(f"{where} is not usable: {'; '.join(_problem(item) for item in error.errors())}") from None


def _problem(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {"clean": CleanConfig, "near_duplicates": NearDuplicates}
        known = models.get(str(item["loc"][0]), EtlConfig) if len(item["loc"]) > 1 else EtlConfig
        return f"{key} is unknown (known: {', '.join(known.model_fields)})"
    return f"{key}: {item['msg']}" if key else item["msg"]
