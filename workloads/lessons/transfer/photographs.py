"""Real images without a download: pieces of the two photographs that scikit-learn ships, in ImageNet's layout.

A temple in China (Luca Galuzzi) and a dahlia (Natalia Vashurina, both CC BY): two classes. Pieces to test on are from
the right of a photograph, those to train on from the left, and no pixel is in both.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

SIDE, STEP, TEST_FROM = 96, 48, 440
"""Pixels: of a piece, between pieces, and where the part to test on begins."""


def write(root: Path) -> None:
    """Cut the photographs into ``root/train/<class>/`` and ``root/val/<class>/``."""
    from sklearn.datasets import load_sample_image  # here: with SciPy it takes a second to import

    for name in ("china", "flower"):
        photograph = Image.fromarray(load_sample_image(f"{name}.jpg"))
        for split, begin, end in (("train", 0, TEST_FROM), ("val", TEST_FROM, photograph.width)):
            _cut(photograph.crop((begin, 0, end, photograph.height)), root / split / name)


def _cut(part: Image.Image, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for top in range(0, part.height - SIDE + 1, STEP):
        for left in range(0, part.width - SIDE + 1, STEP):
            piece = part.crop((left, top, left + SIDE, top + SIDE))
            piece.save(folder / f"{top:03}-{left:03}.png")
