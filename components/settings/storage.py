"""The storage section."""

from __future__ import annotations

from pydantic import Field

from .section import Section


class StorageConfig(Section):
    """The data and the checkpoint bucket."""

    noncurrent_days: int = Field(
        default=30, ge=1, le=36_500, description="Days an overwritten or deleted object can still be had."
    )
    checkpoint_days: int | None = Field(
        default=None, ge=1, le=36_500, description="Days until a checkpoint expires; absent: never."
    )
    data_infrequent_days: int | None = Field(
        default=None, ge=30, le=36_500, description="Days until data moves to infrequent access."
    )
