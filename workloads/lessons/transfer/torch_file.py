"""PyTorch's own file format, read without PyTorch and without running what a pickle asks for.

Since version 1.6 ``torch.save`` writes a zip archive: ``data.pkl`` is a pickle of the dictionary, in which each tensor
is a call of ``_rebuild_tensor_v2`` (storage, offset, sizes, strides, …), and ``data/<key>`` holds a storage's numbers
(PyTorch documentation, Serialization semantics). A pickle may name any function of any module for its reader to call:
this reader knows the few that state dictionaries need, and refuses all others by name.
"""

from __future__ import annotations

import collections
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

STORAGES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}
_PICKLE = "data.pkl"


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a state dictionary by name; also of one that lies under ``state_dict`` in a checkpoint.

    Raises:
        ValueError: the file is of PyTorch's old format, holds something else, or asks for anything but tensors.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no zip archive; files from before PyTorch 1.6 must be saved anew by a later one")
    with zipfile.ZipFile(path) as archive:
        (pickled,) = [name for name in archive.namelist() if name.split("/")[-1] == _PICKLE] or [""]
        if not pickled:
            raise ValueError(f"it has no {_PICKLE}")
        folder = pickled.removesuffix(_PICKLE)
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")
        with archive.open(pickled) as file:
            found = _load(file, lambda key: archive.read(f"{folder}data/{key}"))
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(isinstance(value, np.ndarray) for value in found.values()):
        raise ValueError("it is no dictionary of tensors")
    return found


def _load(file: Any, storage: Callable[[str], bytes]) -> Any:
    try:
        return _Unpickler(file, storage).load()
    except (pickle.UnpicklingError, TypeError, AttributeError, IndexError) as problem:
        raise ValueError(str(problem)) from None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, storage: Callable[[str], bytes]) -> None:
        super().__init__(file)
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no state dictionary needs")

    def persistent_load(self, pid: Any) -> np.ndarray:
        kind, dtype, key, _location, count = pid
        numbers = np.frombuffer(self._storage(key), dtype)
        if kind != "storage" or len(numbers) != count:
            raise pickle.UnpicklingError(f"storage {key} holds {len(numbers)} numbers, not {count}")
        return numbers


def _tensor(storage: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> np.ndarray:
    """A tensor: a view of a storage, which several may share."""
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if 0 in size:
        return np.zeros(size, storage.dtype)
    if offset < 0 or min((*stride, 0)) < 0 or last >= len(storage):
        raise pickle.UnpicklingError(f"a tensor reaches number {last} of a storage of {len(storage)}")
    strides = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, strides).copy()


def _parameter(tensor: np.ndarray, *_: Any) -> np.ndarray:
    """A tensor that was saved as a parameter: the same numbers."""
    return tensor
