"""Handwritten digits: MNIST where its files are given, else the small set that scikit-learn ships."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lessons.errors import LessonError, looking_into
from lessons.fundamentals.idx import read_idx, read_labels

CLASSES = 10
TEST_SHARE = 0.2
"""Of scikit-learn's digits; MNIST comes with a test set."""


@dataclass(frozen=True)
class Digits:
    """Images as rows of pixels from 0 to 1, N or M by P = height · width; ``source`` says where they are from."""

    source: str
    height: int
    train_NxP: np.ndarray
    train_label_N: np.ndarray
    test_MxP: np.ndarray
    test_label_M: np.ndarray

    @property
    def pixels(self) -> int:
        """The width P of a network's input."""
        return self.train_NxP.shape[1]


def load(folder: Path | None, seed: int = 0) -> Digits:
    """The digits of ``folder``, or those that scikit-learn ships where it is None.

    Raises:
        LessonError: a file of MNIST is missing or damaged, or images and labels do not belong together.
    """
    return shipped(seed) if folder is None else mnist(folder)


def mnist(folder: Path) -> Digits:
    """MNIST from its four IDX files. A pixel is a byte, divided by 255."""
    train, train_label = _pair(folder, "train")
    test, test_label = _pair(folder, "t10k")
    if train.shape[1:] != test.shape[1:]:
        raise LessonError(f"{folder}: the training images are {train.shape[1:]}, the test images {test.shape[1:]}")
    height = train.shape[1]
    return Digits(f"MNIST in {folder}", height, _rows(train, 255), train_label, _rows(test, 255), test_label)


def shipped(seed: int = 0) -> Digits:
    """The 1,797 digits of 8 × 8 pixels in scikit-learn, a fifth of them held out at random.

    A pixel counts the dark points of a block of 4 × 4 in the scan, from 0 to 16; divided by 16 it is MNIST's shade.
    (Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI.)
    """
    from sklearn.datasets import load_digits  # here: with SciPy it takes a second to import

    pixel_NxP, label_N = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(label_N))
    held_out = int(len(order) * TEST_SHARE)
    image_NxP, label_N = _rows(pixel_NxP[order], 16), label_N[order].astype(np.int32)
    source = "scikit-learn's digits, 8 × 8 pixels"
    return Digits(source, 8, image_NxP[held_out:], label_N[held_out:], image_NxP[:held_out], label_N[:held_out])


def _rows(image_Nx: np.ndarray, largest: int) -> np.ndarray:
    return (image_Nx.reshape(len(image_Nx), -1) / largest).astype(np.float32)


def _pair(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of ``train`` or ``t10k``."""
    images_path, labels_path = _find(folder, f"{part}-images", 3), _find(folder, f"{part}-labels", 1)
    image_NxHxW, label_N = read_idx(images_path, 3), read_labels(labels_path, CLASSES)
    if len(image_NxHxW) != len(label_N) or not len(label_N) or not image_NxHxW[0].size:
        raise LessonError(
            f"{images_path} has {len(image_NxHxW)} images of {image_NxHxW.shape[1:]} pixels"
            f" and {labels_path} {len(label_N)} labels: one for each is needed"
        )
    return image_NxHxW, label_N.astype(np.int32)


def _find(folder: Path, name: str, dimensions: int) -> Path:
    """The file, under any of the names that it is handed on under."""
    names = [f"{name}{mark}idx{dimensions}-ubyte{end}" for mark in "-." for end in ("", ".gz")]
    with looking_into(folder):
        for path in (folder / one for one in names):
            if path.is_file():
                return path
    raise LessonError(f"{folder}: has no {names[0]}, plain or as .gz: MNIST is four such files")
