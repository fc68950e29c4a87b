"""``python -m operations``: the same as ``aidc``."""

from __future__ import annotations

import sys

from operations.cli import main

if __name__ == "__main__":
    sys.exit(main())
