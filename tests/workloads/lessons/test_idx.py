from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lessons.errors import LessonError
from lessons.fundamentals.digits import mnist
from lessons.fundamentals.idx import read_idx, read_labels


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    """An IDX file as its format describes it."""
    return bytes((0, 0, kind, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([3, 9], np.uint8)
ZIPPED = gzip.compress(idx(IMAGES), mtime=0)  # tests are named after it, alike in all of their processes


@given(st.lists(st.integers(0, 4), min_size=1, max_size=3), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_what_was_written_is_read_whether_compressed_or_not(tmp_path: Path, shape: list[int], zipped: bool) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    (tmp_path / "file").write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    np.testing.assert_array_equal(read_idx(tmp_path / "file", len(shape)), array)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "ends at byte 0, within the magic number"),
        (b"\0\0\x08", "ends at byte 3, within the magic number"),
        (b"\x01" + idx(IMAGES)[1:], "byte 0 is 0x01, not 0x00"),
        (idx(IMAGES, kind=13), "byte 2 is 0x0d, not 0x08: the numbers are not unsigned bytes"),
        (idx(LABELS), "byte 3 is 0x01, not 0x03: the count of dimensions differs"),
        (idx(IMAGES)[:10], "ends at byte 10, within the header of 16 bytes"),
        (idx(IMAGES)[:-1], "ends at byte 39, but its header says 2 × 3 × 4 numbers, up to byte 40"),
        (idx(IMAGES) + b"x", "ends at byte 41, but its header says 2 × 3 × 4 numbers, up to byte 40"),
        (ZIPPED[:-9], "the gzip data of"),
        (ZIPPED[:15] + b"\xff\xff\xff" + ZIPPED[18:], "the gzip data of"),
    ],
)
def test_a_damaged_file_is_refused_by_name_and_byte(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(LessonError) as caught:
        read_idx(path, 3)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


def test_a_label_beyond_the_digits_is_refused_by_its_byte(tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(idx(np.array([1, 2, 10], np.uint8)))
    with pytest.raises(LessonError, match="byte 10 is the label 10; labels go from 0 to 9"):
        read_labels(tmp_path / "labels")


def test_a_folder_or_nothing_in_a_file_s_place_is_said(tmp_path: Path) -> None:
    for path, reason in ((tmp_path, "Is a directory"), (tmp_path / "none", "No such file")):
        with pytest.raises(LessonError, match=f"{path}: cannot be read: {reason}"):
            read_idx(path, 1)


def write_mnist(folder: Path, name: str = "{}-{}-idx{}-ubyte", test_labels: np.ndarray = LABELS) -> None:
    for part, labels in (("train", LABELS), ("t10k", test_labels)):
        (folder / name.format(part, "images", 3)).write_bytes(idx(IMAGES))
        (folder / name.format(part, "labels", 1)).write_bytes(idx(labels))


@pytest.mark.parametrize("name", ["{}-{}-idx{}-ubyte", "{}-{}.idx{}-ubyte", "{}-{}-idx{}-ubyte.gz"])
def test_mnist_is_found_under_the_names_that_it_is_handed_on_under(tmp_path: Path, name: str) -> None:
    write_mnist(tmp_path, name)
    digits = mnist(tmp_path)
    assert (digits.pixels, digits.height, digits.train_NxP.dtype) == (12, 3, np.float32)
    np.testing.assert_allclose(digits.train_NxP[1, -1], 23 / 255)
    np.testing.assert_array_equal(digits.test_label_M, LABELS)


def test_a_missing_file_of_mnist_is_named(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(LessonError, match="has no t10k-labels-idx1-ubyte, plain or as"):
        mnist(tmp_path)


def test_labels_of_other_images_are_refused(tmp_path: Path) -> None:
    write_mnist(tmp_path, test_labels=np.array([1], np.uint8))
    with pytest.raises(LessonError, match=r"has 2 images .* and .*t10k-labels-idx1-ubyte 1 labels"):
        mnist(tmp_path)
