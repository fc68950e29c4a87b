"""S3: how its addresses, its client and its refusals look here."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from etl.config import AGAIN, Failure


class NoSuchKey(Failure):
    """There is no object of that name."""


def split_bucket(uri: str) -> tuple[str, str]:
    """Bucket and prefix (or key) of an S3 address."""
    parts = urlsplit(uri)
    if not parts.netloc:
        raise Failure(f"{uri} names no bucket: give s3://bucket/prefix")
    return parts.netloc, uri.split(parts.netloc, 1)[1].strip("/")


def s3_client() -> Any:
    """A client; endpoint and credentials come from the environment, as every AWS tool has them."""
    import boto3  # takes half a second, and only those with a bucket need it
    from botocore.config import Config

    # A custom endpoint has no DNS name for each bucket.
    style = {"addressing_style": "path"} if os.environ.get("AWS_ENDPOINT_URL") else {}
    retries: Any = {"max_attempts": 3, "mode": "standard"}
    config = Config(connect_timeout=5, read_timeout=30, retries=retries, s3=style)  # type: ignore[arg-type]
    return boto3.client("s3", config=config)


@contextlib.contextmanager
def s3_refusals(verb: str, uri: str) -> Iterator[None]:
    """Turn what boto3 raises into a :class:`Failure` with S3's own code and the address."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        kind = NoSuchKey if code == "NoSuchKey" else Failure
        raise kind(f"cannot {verb} {uri}: S3 answered {code}: check its name and your rights, {AGAIN}") from None
    except (BotoCoreError, ValueError) as error:
        where = os.environ.get("AWS_ENDPOINT_URL", "S3")
        raise Failure(f"cannot {verb} {uri} at {where}: {type(error).__name__}: see that it answers, {AGAIN}") from None
