"""The reference page of what the jobs of ``workloads`` are told, made from their types.

They are packages of their own, which nothing here imports: each is asked for its JSON Schema.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .fields import sections, table

_WORKLOADS = Path(__file__).resolve().parents[1] / "workloads"
_HEAD = """# What the jobs are told

Made from `workloads/train/config/settings.py` and `workloads/etl/config.py` by `make docs`: do not edit. Both are JSON,
the training's in the variable `TRAIN_CONFIG`, the pipeline's in the file that `python -m etl run` is given. Times are
in seconds and sizes in bytes unless a name says otherwise. How they are used is in [training.md](training.md) and
[etl.md](etl.md).
"""
_JOBS = {"TRAIN_CONFIG": "train.config.settings.TrainConfig", "etl": "etl.config.EtlConfig"}


def render() -> str:
    """The page."""
    parts = [_HEAD]
    for title, place in _JOBS.items():
        made = _schema(place)
        fields, definitions = made["properties"], made.get("$defs", {})
        parts += [f"## {title}\n", table(fields, set(made.get("required", ())), definitions)]
        for key, value in fields.items():
            parts += sections(f"{title}.{key}", value, definitions)
    return "\n".join(parts).rstrip() + "\n"


def _schema(place: str) -> dict[str, Any]:
    module, _, name = place.rpartition(".")
    program = f"import json; from {module} import {name}; print(json.dumps({name}.model_json_schema()))"
    environment = {**os.environ, "PYTHONPATH": str(_WORKLOADS)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
