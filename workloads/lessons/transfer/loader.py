"""Batches of decoded images, the same for the same seed however many threads decode them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from lessons.errors import LessonError
from lessons.transfer.augment import for_testing, for_training
from lessons.transfer.images import DamagedImage, ImageFolder, decode

THREADS = 4
Batch = tuple[np.ndarray, np.ndarray]
"""Images BxSxSx3 and labels B."""


class Loader:
    """Reads a folder's images epoch by epoch. ``told`` hears of each damaged image, once; they are left out.

    One bad file among a million must not end a training of days, and must not go unsaid either.
    """

    def __init__(self, folder: ImageFolder, side: int, batch: int, told: Callable[[str], None]) -> None:
        self._folder, self._side, self._batch, self._told = folder, side, batch, told
        self.damaged: set[Path] = set()

    def training(self, epoch: int, seed: int) -> Iterator[Batch]:
        """Full batches, or one where there are no more; in random order, augmented, by seed, epoch and image alone."""
        order = np.random.default_rng((seed, epoch)).permutation(len(self._folder.samples))

        def prepare(number: int) -> np.ndarray:
            random = np.random.default_rng((seed, epoch, number))
            return for_training(decode(self._folder.samples[number][0]), self._side, random)

        for number, (images, labels) in enumerate(self._batches(order, prepare)):
            if len(labels) == self._batch or number == 0:  # what does not fill a batch waits for the next order
                yield images, labels

    def testing(self) -> Iterator[Batch]:
        """Every image once, in order; the last batch may be smaller."""

        def prepare(number: int) -> np.ndarray:
            return for_testing(decode(self._folder.samples[number][0]), self._side)

        yield from self._batches(np.arange(len(self._folder.samples)), prepare)

    def _batches(self, order: np.ndarray, prepare: Callable[[int], np.ndarray]) -> Iterator[Batch]:
        """Batches of what can be decoded.

        Raises:
            LessonError: nothing can.
        """
        images: list[np.ndarray] = []
        labels: list[int] = []
        any_read = False
        with ThreadPoolExecutor(THREADS) as threads:
            for start in range(0, len(order), self._batch):
                numbers = order[start : start + self._batch]
                for number, image in zip(numbers, threads.map(self._or_none(prepare), numbers), strict=True):
                    if image is not None:
                        images.append(image)
                        labels.append(self._folder.samples[number][1])
                while len(images) >= self._batch:
                    yield _stacked(images[: self._batch], labels[: self._batch])
                    del images[: self._batch], labels[: self._batch]
                    any_read = True
        if images:
            yield _stacked(images, labels)
        elif not any_read:
            raise LessonError(f"{self._folder.samples[0][0].parents[1]}: none of its images can be decoded")

    def _or_none(self, prepare: Callable[[int], np.ndarray]) -> Callable[[int], np.ndarray | None]:
        def prepared(number: int) -> np.ndarray | None:
            try:
                return prepare(number)
            except DamagedImage as problem:
                path = self._folder.samples[number][0]
                if path not in self.damaged:
                    self.damaged.add(path)
                    self._told(f"left out, damaged: {problem}")
                return None

        return prepared


def _stacked(images: list[np.ndarray], labels: list[int]) -> Batch:
    return np.stack(images), np.array(labels, np.int32)
