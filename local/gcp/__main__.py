"""The provider as the Pulumi CLI starts it: ``python local/gcp``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from local.gcp.provider import GcpProvider  # noqa: E402 the checkout is on the path only now
from local.provider import serve  # noqa: E402

if __name__ == "__main__":
    serve(GcpProvider())
