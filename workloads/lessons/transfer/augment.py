"""From an image to a network's input: at random for training, always the same for tests. S is the side of the input."""

from __future__ import annotations

import numpy as np
from PIL import Image

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue: weights that learned on such inputs need such inputs (torchvision's models)."""
AREA, ASPECT = (0.25, 1.0), (3 / 4, 4 / 3)
"""Of the part that a random crop takes. Szegedy et al. 2015 take from 0.08 of the area on, for long trainings."""
CROP_SHARE = 224 / 256  # of the side, in tests (Krizhevsky et al. 2012)


def for_training(image: Image.Image, side: int, random: np.random.Generator) -> np.ndarray:
    """A random part of the image, S × S, mirrored every other time: what it shows stays the same, its pixels do not."""
    box = random_box(image.width, image.height, random)
    crop = image.resize((side, side), Image.Resampling.BILINEAR, box=box)
    pixel_SxSx3 = np.asarray(crop)
    return normalize(pixel_SxSx3[:, ::-1] if random.random() < 0.5 else pixel_SxSx3)


def for_testing(image: Image.Image, side: int) -> np.ndarray:
    """The middle of the image, S × S."""
    across = min(image.width, image.height) * CROP_SHARE
    left, top = (image.width - across) / 2, (image.height - across) / 2
    box = (left, top, left + across, top + across)
    return normalize(np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, box=box)))


def random_box(width: int, height: int, random: np.random.Generator) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a part of the image with a random area and aspect, cut to fit into it."""
    area = random.uniform(*AREA) * width * height
    aspect = np.exp(random.uniform(*np.log(ASPECT)))  # as likely twice as wide as twice as high
    across, down = min((area * aspect) ** 0.5, width), min((area / aspect) ** 0.5, height)
    left, top = random.uniform(0, width - across), random.uniform(0, height - down)
    return left, top, min(left + across, width), min(top + down, height)


def normalize(pixel_SxSx3: np.ndarray) -> np.ndarray:
    """Bytes to numbers with about the mean 0 and the deviation 1."""
    return ((pixel_SxSx3 / 255 - MEAN) / DEVIATION).astype(np.float32)
