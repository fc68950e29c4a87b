"""Work whose result is known, and its time: matrix products, memory and the way between host and device.

The numbers are small whole ones, so that a sum is exact in any order and each device must give the same bits, whatever
it is; a device that calculates wrong is found by what it says, not by how.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from train.checks.devices import Device

SEED = 6
_MODULUS = 7  # the numbers are -3 to 3: a product of width 2^18 would still be exact in float32
_REPEATS = 3


@dataclass(frozen=True)
class Scale:
    """How much work tells something and takes a moment only.

    On CPUs a round's product is so small that XLA leaves it to one thread, whose waiting
    for a CPU can be told apart.
    """

    dtype: jnp.dtype
    product_width: int
    product_steps: int
    memory_bytes: int
    transfer_bytes: int
    round_width: int
    round_memory_bytes: int
    round_s: float


_CPU = Scale(jnp.dtype(jnp.float32), 768, 4, 64 << 20, 32 << 20, 128, 4 << 20, 0.006)
_CHIP = Scale(jnp.dtype(jnp.bfloat16), 8192, 32, 4 << 30, 256 << 20, 4096, 1 << 30, 0.03)


def scale_of(platform: str) -> Scale:
    """The scale for JAX's name of a platform."""
    return _CPU if platform == "cpu" else _CHIP


def fold(x_NxN: np.ndarray) -> np.ndarray:
    """Whole numbers back to -3 … 3."""
    return x_NxN - _MODULUS * np.round(x_NxN / _MODULUS)


@cache
def numbers(width: int) -> np.ndarray:
    """A square of whole numbers from -3 to 3, the same everywhere."""
    return np.random.default_rng(SEED).integers(-3, 4, (width, width)).astype(np.float32)


@jax.jit
def multiply(a_NxN: jax.Array, x_NxN: jax.Array, steps: jax.Array) -> jax.Array:
    """``steps`` products with ``a``, each folded back to small numbers."""

    def step(_: jax.Array, x: jax.Array) -> jax.Array:
        y = jnp.dot(a_NxN, x, preferred_element_type=jnp.float32)
        return (y - _MODULUS * jnp.round(y / _MODULUS)).astype(a_NxN.dtype)

    return jax.lax.fori_loop(0, steps, step, x_NxN)


@jax.jit
def invert(words: jax.Array, times: jax.Array) -> jax.Array:
    """All bits the other way round, ``times`` times: each pass reads and writes the whole."""
    return jax.lax.fori_loop(0, times, lambda _, x: ~x, words)


@cache
def known_answer(width: int = 256, steps: int = 4) -> str:
    """The digest that every device's ``multiply`` must give, worked out by this host in double precision."""
    a = x = numbers(width).astype(np.float64)
    for _ in range(steps):
        x = fold(a @ x)
    return digest(x)


def device_answer(device: Device, width: int = 256, steps: int = 4) -> str:
    """The digest of the same by a device."""
    a = jax.device_put(numbers(width).astype(scale_of(device.platform).dtype), device)
    return digest(np.asarray(multiply(a, a, np.int32(steps))))


def digest(x: np.ndarray) -> str:
    """Of whole numbers, whatever type holds them; NaN and infinity have one of their own."""
    numbers_NxN = x.astype(np.float32)
    if not np.isfinite(numbers_NxN).all():
        return "not finite"
    return hashlib.sha256(numbers_NxN.astype(np.int8).tobytes()).hexdigest()[:16]


def product_flops(device: Device) -> tuple[float, str]:
    """FLOP/s of large matrix products, best of a few, and the digest of their result."""
    scale = scale_of(device.platform)
    a = jax.device_put(numbers(scale.product_width).astype(scale.dtype), device)
    steps = np.int32(scale.product_steps)
    seconds, result = best_time(lambda: multiply(a, a, steps))
    return 2.0 * scale.product_width**3 * scale.product_steps / seconds, digest(np.asarray(result))


def memory_bytes_per_s(device: Device) -> tuple[float, int]:
    """Bytes read and written a second, best of a few, and how many words came back different."""
    words = pattern(scale_of(device.platform).memory_bytes, device)
    passes = 4  # even: then all bits are as before
    seconds, result = best_time(lambda: invert(words, np.int32(passes)))
    return 2.0 * passes * words.nbytes / seconds, int(jnp.count_nonzero(result != words))


def pattern(size_bytes: int, device: Device) -> jax.Array:
    """Words of which no two neighbours are alike, made where they are to be: they are too many to send."""
    factor = np.uint32(2654435761)  # Knuth's multiplicative hash
    make = jax.jit(lambda: jnp.arange(size_bytes // 4, dtype=jnp.uint32) * factor, out_shardings=_only(device))
    return make()


def _only(device: Device) -> jax.sharding.Sharding:
    return jax.sharding.SingleDeviceSharding(device)


def transfer_bytes_per_s(device: Device) -> tuple[float, float] | None:
    """Bytes a second to the device and back; None on CPUs, which share the host's memory."""
    if device.platform == "cpu":
        return None
    data = np.ones(scale_of(device.platform).transfer_bytes, np.uint8)
    there, placed = best_time(lambda: jax.device_put(data, device))
    back = min(_time(lambda: np.asarray(placed + 0)) for _ in range(_REPEATS))  # + 0: a copy that is not kept
    return data.nbytes / there, data.nbytes / back


def best_time(work: Callable[[], jax.Array]) -> tuple[float, jax.Array]:
    """The shortest of a few times, in seconds, after one to warm up; and the result."""
    result = work().block_until_ready()
    return min(_time(lambda: work().block_until_ready()) for _ in range(_REPEATS)), result


def _time(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
