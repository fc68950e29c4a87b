"""The use of a key that is given to whoever reads and writes a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def through_s3(actions: Sequence[str], key_arn: str, region: str) -> dict[str, Any]:
    """The key for what S3 asks of it there, and nothing else: a stack's disks and secrets are under the same one."""
    condition = {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}
    return {"Effect": "Allow", "Action": list(actions), "Resource": key_arn, "Condition": condition}
