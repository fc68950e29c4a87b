"""What people read at the end of a run."""

from __future__ import annotations

from typing import Any


def summary(manifest: dict[str, Any]) -> list[str]:
    """A few lines on what was made of what."""
    found = manifest["statistics"]
    length = found["document_tokens"]
    lines = [
        f"read      {found['documents_read']:,} documents, {found['bytes_read'] / 1e6:,.1f} MB, "
        f"{len(manifest['sources'])} file(s)",
        f"kept      {found['documents_kept']:,} documents, {found['bytes_kept'] / 1e6:,.1f} MB",
        f"tokens    {found['tokens']:,} of {found['bytes_per_token']:.2f} bytes, {len(manifest['shards'])} shard(s)",
        f"length    a document {length['p5']:,} to {length['p95']:,} (5 % to 95 %), median {length['p50']:,}",
    ]
    lines += [
        f"dropped   {count:,} {reason}, the first at {found['first_dropped'][reason]}"
        for reason, count in sorted(found["dropped"].items())
    ]
    lines += [f"duplicate {count:,} {kind}" for kind, count in sorted(found["duplicates"].items())]
    lines += [f"ignored   {count:,} file(s): {ending}" for ending, count in sorted(manifest["ignored_sources"].items())]
    return lines
