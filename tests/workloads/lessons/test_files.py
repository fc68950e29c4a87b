from __future__ import annotations

import io
import os
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lessons.errors import LessonError
from lessons.transfer.files import read_weights
from safetensors.numpy import save_file

ARRAYS = {
    "conv1.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "bn1.bias": np.array([0.5, -1.5], np.float32),
    "scalar": np.array(3.0, np.float32),
    "empty": np.zeros((0, 4), np.float32),
}


class Storage:
    """Stands for a storage of PyTorch's in a pickle that is being written."""

    def __init__(self, kind: str, key: str, numbers: np.ndarray) -> None:
        self.kind, self.key, self.numbers = kind, key, numbers


def torch_file(path: Path, values: Any, byteorder: bytes = b"little") -> None:
    """Write what ``torch.save`` writes: an archive with a pickle that names storages, and the storages' numbers."""
    storages: dict[str, Storage] = {}

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            if not isinstance(obj, Storage):
                return None
            storages[obj.key] = obj
            return ("storage", getattr(sys.modules["torch"], obj.kind), obj.key, "cpu", len(obj.numbers))

    pickled = io.BytesIO()
    Pickler(pickled, protocol=2).dump(values)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", pickled.getvalue())
        archive.writestr("model/byteorder", byteorder)
        for key, storage in storages.items():
            archive.writestr(f"model/data/{key}", storage.numbers.tobytes())


@pytest.fixture(autouse=True)
def torch_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions under PyTorch's names, so that the pickle that a test writes can name them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for module, names in (
        (torch, ("FloatStorage", "HalfStorage", "LongStorage")),
        (utils, ("_rebuild_tensor_v2", "_rebuild_parameter")),
    ):
        for name in names:
            made = types.FunctionType((lambda *_: None).__code__, {}, name)
            made.__module__, made.__qualname__ = module.__name__, name
            setattr(module, name, made)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(torch, "_utils", utils, raising=False)


class Tensor:
    """Pickles as a tensor of PyTorch's does."""

    def __init__(self, storage: Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.parts = (storage, offset, size, stride, False, OrderedDict())

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.parts


class Parameter(Tensor):
    """Pickles as a parameter of PyTorch's does."""

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.modules["torch._utils"]._rebuild_parameter, (Tensor(*self.parts[:4]), True, OrderedDict())


def tensor(array: np.ndarray, key: str, kind: str = "FloatStorage") -> Tensor:
    strides = tuple(step // array.itemsize for step in array.strides)
    return Tensor(Storage(kind, key, array.ravel()), 0, array.shape, strides)


def write(path: Path) -> None:
    if path.suffix == ".npz":
        np.savez(path, **ARRAYS)  # pyright: ignore[reportArgumentType]
    elif path.suffix == ".safetensors":
        save_file(ARRAYS, path)
    else:
        torch_file(path, OrderedDict((name, tensor(array, name)) for name, array in ARRAYS.items()))


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".pth", ".pt"])
def test_every_format_gives_the_arrays_that_were_written(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"weights{ending}"
    write(path)
    found = read_weights(path)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], array, err_msg=name)


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".pth"])
@pytest.mark.parametrize("kept", [0, 0.3, 0.9])
def test_a_file_that_ends_early_is_refused_by_name(tmp_path: Path, ending: str, kept: float) -> None:
    path = tmp_path / f"weights{ending}"
    write(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(LessonError, match=f"^{path}: cannot be read as {ending}: "):
        read_weights(path)


@pytest.mark.parametrize(
    ("name", "said"), [("none.pth", "there is no such file"), ("weights.h5", "weights end in .npz")]
)
def test_what_is_not_there_or_not_known_is_said(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(LessonError, match=said):
        read_weights(tmp_path / name)


def test_tensors_may_share_a_storage_be_transposed_and_of_other_types(tmp_path: Path) -> None:
    numbers = np.arange(10, dtype=np.float32)
    shared = Storage("FloatStorage", "0", numbers)
    values = {
        "part": Tensor(shared, 4, (6,), (1,)),
        "turned": Tensor(shared, 0, (3, 2), (1, 3)),
        "half": tensor(np.array([0.5, 2.0], np.float16), "1", "HalfStorage"),
        "parameter": Parameter(shared, 0, (2,), (5,)),
        "count": tensor(np.array(7), "2", "LongStorage"),
    }
    torch_file(tmp_path / "w.pth", {"state_dict": values, "epoch": 3})
    found = read_weights(tmp_path / "w.pth")
    np.testing.assert_array_equal(found["part"], numbers[4:])
    np.testing.assert_array_equal(found["turned"], numbers[:6].reshape(2, 3).T)
    np.testing.assert_array_equal(found["half"], [0.5, 2])
    np.testing.assert_array_equal(found["parameter"], [0, 5])
    assert found["count"] == 7


@pytest.mark.parametrize(("offset", "size", "stride"), [(5, (6,), (1,)), (0, (3, 4), (4, 1)), (-1, (2,), (1,))])
def test_a_tensor_beyond_its_storage_reads_no_other_memory(
    tmp_path: Path, offset: int, size: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    storage = Storage("FloatStorage", "0", np.zeros(10, np.float32))
    torch_file(tmp_path / "w.pth", {"x": Tensor(storage, offset, size, stride)})
    with pytest.raises(LessonError, match="a tensor reaches number"):
        read_weights(tmp_path / "w.pth")


def pickled_length(length: int) -> bytes:
    """A pickle of bytes that says how many they are."""
    return b"\x80\x04\x8e" + length.to_bytes(8, "little") + b"few."


@pytest.mark.parametrize("pickled", [pickled_length(2**50), pickled_length(2**64 - 1)])
def test_a_pickle_that_asks_for_more_memory_than_there_is_is_refused(tmp_path: Path, pickled: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
        archive.writestr("model/data.pkl", pickled)
    with pytest.raises(LessonError, match=r"w\.pth: cannot be read as \.pth: it asks for more memory than there is"):
        read_weights(tmp_path / "w.pth")


def test_a_tensor_of_more_numbers_than_memory_holds_is_refused(tmp_path: Path) -> None:
    repeated = Tensor(Storage("FloatStorage", "0", np.zeros(1, np.float32)), 0, (2**50,), (0,))
    torch_file(tmp_path / "w.pth", {"x": repeated})
    with pytest.raises(LessonError, match="it asks for more memory than there is"):
        read_weights(tmp_path / "w.pth")


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("true",)


def test_what_a_file_asks_to_run_is_not_run_but_named(tmp_path: Path) -> None:
    torch_file(tmp_path / "w.pth", {"x": Evil()})
    with pytest.raises(LessonError, match=r"it asks for posix\.system, which no state dictionary needs"):
        read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("values", "said"), [([1, 2], "no dictionary of tensors"), ({"x": 1.0}, "no dictionary of tensors")]
)
def test_what_holds_no_tensors_is_refused(tmp_path: Path, values: Any, said: str) -> None:
    torch_file(tmp_path / "w.pth", values)
    with pytest.raises(LessonError, match=said):
        read_weights(tmp_path / "w.pth")


def test_numbers_in_another_order_of_bytes_are_refused(tmp_path: Path) -> None:
    torch_file(tmp_path / "w.pth", {}, byteorder=b"big")
    with pytest.raises(LessonError, match="big-endian"):
        read_weights(tmp_path / "w.pth")


def test_the_format_from_before_1_6_is_named(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(LessonError, match=r"before PyTorch 1\.6"):
        read_weights(tmp_path / "w.pth")


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
        archive.writestr("readme", "hello")
    with pytest.raises(LessonError, match=r"it has no data\.pkl"):
        read_weights(tmp_path / "w.pth")
