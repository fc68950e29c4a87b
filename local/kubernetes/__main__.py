"""The provider as a process of its own, as the Pulumi CLI starts it."""

from __future__ import annotations

import sys
from pathlib import Path

# The folder of a script comes first on the path: names of this package would shadow others. The checkout belongs there.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from local.kubernetes.progress import nowhere, to_engine  # noqa: E402
from local.kubernetes.provider import KubernetesProvider  # noqa: E402
from local.provider import serve  # noqa: E402

serve(KubernetesProvider(log=to_engine(sys.argv[1]) if len(sys.argv) > 1 else nowhere))
