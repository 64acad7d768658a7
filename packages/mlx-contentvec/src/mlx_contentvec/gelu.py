"""GELU, x Φ(x), written over its input: a third of the encoder's time if done carelessly.

NumPy has no erf, but a fast tanh, and Φ(x) = (1 + tanh h(x)) / 2 exactly, with the odd function
h(x) = (log Φ(x) − log Φ(−x)) / 2. Here h is x times a polynomial in x², fitted so that the largest
error of x Φ(x) is smallest: 7e-8, below what float32 keeps (the exact erf in float32 misses by
more). It is not the cubic of the well-known "tanh approximation", which misses by 5e-4.

Beyond |x| = 6, where it was fitted, the polynomial keeps growing, and tanh is ±1 as it should be.
"""

import mlx.core as mx
import numpy as np

import mlx_fastops as fastops
from mlx_contentvec.arrays import Array

COEFFICIENTS = tuple(
    np.float32(c)
    for c in (
        0.7978842161162414,
        0.036334283518506594,
        -3.3129998460200716e-05,
        -5.524015681785548e-05,
        3.96910921041919e-06,
        -1.334463930308143e-07,
        1.8056160311872893e-09,
    )
)
BLOCK = 1 << 15  # numbers at a time: three arrays of them stay in a core's cache


def gelu(x: Array) -> Array:
    """x Φ(x) for any shape; a NumPy array is overwritten if it can be, so use the result."""
    if isinstance(x, mx.array):
        return fastops.gelu(x)
    x = np.require(x, np.float32, ["C", "W"])
    flat = x.reshape(-1)
    square, h = (np.empty(min(BLOCK, flat.size), np.float32) for _ in range(2))
    *lower, highest = COEFFICIENTS
    with np.errstate(over="ignore"):  # far outside, infinity is as good as any large number
        for start in range(0, flat.size, BLOCK):
            part = flat[start : start + BLOCK]
            s, p = square[: part.size], h[: part.size]
            np.multiply(part, part, out=s)
            np.multiply(s, highest, out=p)
            for coefficient in lower[:0:-1]:
                p += coefficient
                p *= s
            p += lower[0]
            p *= part
            np.tanh(p, out=p)
            part *= np.float32(0.5)
            p *= part
            part += p
    return x
