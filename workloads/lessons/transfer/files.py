"""Weights from a file: ``.npz``, ``.safetensors`` or PyTorch's ``.pth``, without PyTorch."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lessons.errors import LessonError, looking_into
from lessons.transfer.torch_file import read_torch


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file by name, as float32.

    Raises:
        LessonError: the file is not there, damaged, or of a format that is not known.
    """
    if path.suffix not in READERS:
        raise LessonError(f"{path}: weights end in {', '.join(READERS)}; convert others with the library they are of")
    with looking_into(path):
        there = path.is_file()
    if not there:
        raise LessonError(f"{path}: there is no such file")
    try:
        return {name: np.asarray(array, np.float32) for name, array in READERS[path.suffix](path).items()}
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as problem:
        raise LessonError(f"{path}: cannot be read as {path.suffix}: {problem}") from None
    except (MemoryError, OverflowError):  # of a size that no file has, or of a whole one that is too large for here
        raise LessonError(
            f"{path}: cannot be read as {path.suffix}: it asks for more memory than there is;"
            " fetch it anew, or read it where there is more"
        ) from None


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except SafetensorError as problem:
        raise ValueError(str(problem)) from None


READERS: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
    ".npz": _read_npz,
    ".safetensors": _read_safetensors,
    ".pth": read_torch,
    ".pt": read_torch,
}
