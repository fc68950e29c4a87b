"""A folder of images in ImageNet's layout: ``train/<class>/<image>`` and ``val/<class>/<image>``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lessons.errors import LessonError, looking_into

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


@dataclass(frozen=True)
class ImageFolder:
    """The images of one split. A class's number is its place among the folders' names in order, on every machine."""

    classes: tuple[str, ...]
    samples: tuple[tuple[Path, int], ...]


class DamagedImage(Exception):
    """An image that cannot be decoded, and why."""


def find(root: Path) -> tuple[ImageFolder, ImageFolder]:
    """The images of ``train`` and ``val``, in the order of their names; nothing is decoded yet.

    Raises:
        LessonError: a split is missing, a class is empty, there are fewer than two, or val's are not train's.
    """
    train, val = (_split(root / name) for name in ("train", "val"))
    if train.classes != val.classes:
        differing = sorted(set(train.classes) ^ set(val.classes))
        raise LessonError(f"{root}: train and val must have the same classes; only one has {', '.join(differing)}")
    return train, val


def decode(path: Path) -> Image.Image:
    """The image, whole and in RGB: ImageNet has some in CMYK, some grey, and a PNG that is called JPEG.

    Raises:
        DamagedImage: it cannot be decoded to its last pixel, or nothing says which of its numbers is white.
    """
    try:
        with Image.open(path) as image:
            return _of_bytes(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as problem:  # all are Pillow's for damage
        raise DamagedImage(f"{path}: {problem}") from None


def _of_bytes(image: Image.Image) -> Image.Image:
    """With grey of 16 bits, as of scanners and telescopes, in 8: Pillow would make all above 255 white."""
    if image.mode in ("I", "F"):
        raise ValueError("its numbers have 32 bits, and none is known to be white; save it with 8 or 16 bits")
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image


def _split(folder: Path) -> ImageFolder:
    with looking_into(folder):
        if not folder.is_dir():
            raise LessonError(f"{folder}: there is no such folder; images lie in train/<class>/ and val/<class>/")
        classes = tuple(sorted(path.name for path in _visible(folder.iterdir()) if path.is_dir()))
    if len(classes) < 2:
        raise LessonError(f"{folder}: has {len(classes)} folders of images; two classes are the least to tell apart")
    samples = [(path, number) for number, name in enumerate(classes) for path in _images(folder / name)]
    return ImageFolder(classes, tuple(samples))


def _images(folder: Path) -> list[Path]:
    found = sorted(path for path in _visible(folder.rglob("*")) if path.suffix.lower() in ENDINGS)
    if not found:
        raise LessonError(f"{folder}: has no image ({', '.join(ENDINGS)})")
    return found


def _visible(paths: Iterable[Path]) -> Iterable[Path]:
    """Without what desktops and archivers leave behind."""
    return (path for path in paths if not path.name.startswith("."))
