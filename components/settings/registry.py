"""The registry section."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .section import Section

ImageDigest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class RegistryConfig(Section):
    """The registry of workload images."""

    image_digest: ImageDigest | None = Field(
        default=None,
        description="Digest of the pushed workload image; absent: the tag that is the digest of its sources.",
    )
    keep_images: int = Field(default=50, ge=1, le=10000, description="Images kept; older ones expire.")
    scanning: Literal["basic", "enhanced"] | None = Field(
        default=None,
        description="Looks for known weaknesses in all images of the account's registry in the region, at the push "
        "(basic) or all the time, by Amazon Inspector, which bills (enhanced). It is the registry's own setting, which "
        "all stacks share: only one may name it. Absent: this stack's repository scans at the push.",
    )
