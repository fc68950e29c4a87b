"""ResNet-50, its parts named as in torchvision, so that weights find their places by name.

B is the batch, H and W an image's height and width, C its channels. Images are BxHxWxC, as XLA likes them.
Source: He et al. 2016, Deep Residual Learning, table 1; with the stride in the 3 × 3 convolution, as torchvision has it
("v1.5": Goyal et al. 2017 moved it there, for half a per cent of accuracy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import jax
import jax.numpy as jnp
from flax import nnx

EXPANSION = 4
PARTS = ("stem", "layer1", "layer2", "layer3", "layer4")
"""What can be frozen, from the image on; the head ``fc`` is always trained."""


@dataclass(frozen=True)
class Config:
    """The shape of a residual network; the defaults are ResNet-50's."""

    stages: tuple[int, int, int, int] = (3, 4, 6, 3)
    width: int = 64
    classes: int = 1000


def _conv(inputs: int, outputs: int, size: int, stride: int, rngs: nnx.Rngs) -> nnx.Conv:
    """A convolution padded by half its size on every side; "SAME" pads unevenly where the stride is 2."""
    padding = ((size // 2, size // 2),) * 2
    return nnx.Conv(inputs, outputs, (size, size), strides=(stride, stride), padding=padding, use_bias=False, rngs=rngs)


def _norm(channels: int, rngs: nnx.Rngs) -> nnx.BatchNorm:
    """PyTorch's batch norm: it moves its averages by 0.1, and calls that the momentum; flax calls 0.9 so."""
    return nnx.BatchNorm(channels, momentum=0.9, epsilon=1e-5, rngs=rngs)


class Bottleneck(nnx.Module):
    """1 × 1 to few channels, 3 × 3 among them, 1 × 1 to four times as many; and the input added."""

    def __init__(self, inputs: int, width: int, stride: int, rngs: nnx.Rngs) -> None:
        outputs = EXPANSION * width
        self.conv1, self.bn1 = _conv(inputs, width, 1, 1, rngs), _norm(width, rngs)
        self.conv2, self.bn2 = _conv(width, width, 3, stride, rngs), _norm(width, rngs)
        self.conv3, self.bn3 = _conv(width, outputs, 1, 1, rngs), _norm(outputs, rngs)
        same = stride == 1 and inputs == outputs
        # Where the shape changes the input goes through a 1 × 1 convolution of its own.
        self.downsample = nnx.List([] if same else [_conv(inputs, outputs, 1, stride, rngs), _norm(outputs, rngs)])

    def __call__(self, x_BxHxWxC: jax.Array, *, train: bool) -> jax.Array:
        """The block's output; ``train``: norms use the batch's averages, and remember them."""
        y = jax.nn.relu(self.bn1(self.conv1(x_BxHxWxC), use_running_average=not train))
        y = jax.nn.relu(self.bn2(self.conv2(y), use_running_average=not train))
        y = self.bn3(self.conv3(y), use_running_average=not train)
        if self.downsample:
            conv, norm = cast("tuple[nnx.Conv, nnx.BatchNorm]", tuple(self.downsample))
            x_BxHxWxC = norm(conv(x_BxHxWxC), use_running_average=not train)
        return jax.nn.relu(x_BxHxWxC + y)


class ResNet(nnx.Module):
    """A stem, four stages of bottlenecks, and a head."""

    def __init__(self, config: Config, rngs: nnx.Rngs) -> None:
        self.conv1, self.bn1 = _conv(3, config.width, 7, 2, rngs), _norm(config.width, rngs)
        inputs = config.width
        for number, blocks in enumerate(config.stages, 1):
            width = config.width * 2 ** (number - 1)
            strides = [1 if number == 1 else 2, *[1] * (blocks - 1)]
            stage = []
            for stride in strides:
                stage.append(Bottleneck(inputs, width, stride, rngs))
                inputs = EXPANSION * width
            setattr(self, f"layer{number}", nnx.List(stage))
        self.fc = nnx.Linear(inputs, config.classes, rngs=rngs)

    def __call__(self, images_BxHxWx3: jax.Array, *, train: bool = False, frozen: int = 0) -> jax.Array:
        """Logits BxC. The first ``frozen`` of :data:`PARTS` compute as in use, training or not, and take no gradient.

        A frozen part's norms must not follow the new images either: their averages belong to its weights.
        """
        x = images_BxHxWx3
        for number, part in enumerate(PARTS):
            learns = train and number >= frozen
            x = self._stem(x, learns) if part == "stem" else self._stage(part, x, learns)
            if not learns:
                x = jax.lax.stop_gradient(x)
        return self.fc(x.mean(axis=(1, 2)))

    def _stem(self, x: jax.Array, train: bool) -> jax.Array:
        x = jax.nn.relu(self.bn1(self.conv1(x), use_running_average=not train))
        around = ((1, 1), (1, 1))
        return nnx.max_pool(x, (3, 3), strides=(2, 2), padding=around)  # pyright: ignore[reportArgumentType]

    def _stage(self, part: str, x: jax.Array, train: bool) -> jax.Array:
        for block in getattr(self, part):
            x = block(x, train=train)
        return x


def part_of(path: tuple[object, ...]) -> str:
    """The part that a parameter is in, by its path in the model."""
    return "stem" if path[0] in ("conv1", "bn1") else str(path[0])


def is_frozen(path: tuple[object, ...], frozen: int) -> bool:
    """Whether a parameter is in the first ``frozen`` of :data:`PARTS`."""
    return part_of(path) in PARTS[:frozen]


def image_shape(size: int, batch: int = 1) -> jax.ShapeDtypeStruct:
    """A batch of square images, as a shape."""
    return jax.ShapeDtypeStruct((batch, size, size, 3), jnp.float32)
