"""``python -m train``."""

from __future__ import annotations

import os

from train.main import main

if __name__ == "__main__":
    # Not sys.exit: at interpreter exit JAX waits minutes for peers that may already be gone.
    os._exit(main())
