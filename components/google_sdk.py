"""Google's SDK for Pulumi, which only stacks with TPUs need: nothing imports it before they are known to be ones."""

from __future__ import annotations

import importlib.util


def why_missing(who: str) -> str | None:
    """That ``who`` needs it and how to get it, or ``None`` where it is installed."""
    if importlib.util.find_spec("pulumi_gcp") is not None:
        return None
    return (
        f"{who} needs the package pulumi-gcp, and this environment lacks it: `make setup` makes one that has it; into "
        "another, `pip install --group tpu` in the checkout installs it."
    )
