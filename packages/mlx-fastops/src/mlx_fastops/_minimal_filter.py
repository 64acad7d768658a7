"""Minimal filtering: m outputs of a filter of r taps with m + r - 1 products instead of m*r.

Toom-Cook's scheme (Winograd, "Arithmetic Complexity of Computations", 1980): read inputs and taps
as polynomials, evaluate both at m + r - 1 points, multiply point by point, interpolate. For a
filter rather than a product the scheme is transposed:

    y = A ((G w) * (B x))       x (m + r - 1), w (r), y (m); G and A evaluate at the points

In a convolution w is a matrix for each tap, so the products are matrix products and by far the
most of the work, while B and A only add. Small points keep the sums well conditioned: in float32
the error stays within four times that of the plain sum for the forms used here.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

# Points besides infinity, by measurement those with the smallest error of each number of points.
_POINTS = {
    5: "0 1 -1 2",
    6: "0 1 -1 2 -1/2",
    7: "0 1 -1 2 -2 1/2",
    8: "0 1 -1 2 -2 1/2 -1/2",
}
ONE = 1  # place of the point 1, whose product enters all outputs alike


@dataclass(frozen=True)
class MinimalFilter:
    """The three matrices of a form F(outputs, taps): float64 for weights, float32 for data.

    It sees as many inputs as it has products: stride * (outputs - 1) + taps.
    """

    outputs: int
    taps: int
    stride: int
    input_matrix: np.ndarray  # (products, products)
    tap_matrix: np.ndarray  # (products, taps), float64
    output_matrix: np.ndarray  # (outputs, products)

    @property
    def products(self) -> int:
        """Products for `outputs` outputs."""
        return len(self.input_matrix)


@cache
def minimal_filter(outputs: int, taps: int, stride: int = 1) -> MinimalFilter:
    """The form F(outputs, taps) for outputs `stride` inputs apart.

    With a stride each of its phases of the input meets a filter of its own, and the results add up.
    outputs + taps - 1 must be 5, 6, 7 or 8, and with a stride so for the taps of the first phase.
    """
    inputs = stride * (outputs - 1) + taps
    parts = [_matrices(outputs, len(range(phase, taps, stride))) for phase in range(stride)]
    input_matrix, tap_matrix = np.zeros((inputs, inputs)), np.zeros((inputs, taps))
    first = 0
    for phase, (own_inputs, own_taps, _) in enumerate(parts):
        rows = slice(first, first + len(own_inputs))
        input_matrix[rows, phase::stride] = own_inputs
        tap_matrix[rows, phase::stride] = own_taps
        first = rows.stop
    output_matrix = np.concatenate([own_outputs for *_, own_outputs in parts], axis=1)
    return MinimalFilter(
        outputs,
        taps,
        stride,
        input_matrix.astype(np.float32),
        tap_matrix,
        output_matrix.astype(np.float32),
    )


def _matrices(outputs: int, taps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input, tap and output matrix of F(outputs, taps), float64."""
    if taps == 1:
        return np.eye(outputs), np.ones((outputs, 1)), np.eye(outputs)
    products = outputs + taps - 1
    points = [Fraction(point) for point in _POINTS[products].split()]
    interpolate = np.linalg.inv(_evaluation(points, products)).T
    evaluate_taps, evaluate_outputs = _evaluation(points, taps), _evaluation(points, outputs)
    # Powers of two move from the matrices that meet data in float32 to the one that meets the
    # weights in float64, so that all products are of one size.
    rows = _power_of_two(np.abs(interpolate).max(axis=1))
    columns = _power_of_two(np.abs(evaluate_outputs).max(axis=1))
    return (
        interpolate / rows[:, None],
        evaluate_taps * (rows * columns)[:, None],
        (evaluate_outputs / columns[:, None]).T,
    )


def _evaluation(points: list[Fraction], terms: int) -> np.ndarray:
    """Powers of each point, and at infinity the highest term alone: (points + 1, terms)."""
    finite = [[float(point**power) for power in range(terms)] for point in points]
    return np.array([*finite, [0.0] * (terms - 1) + [1.0]])


def _power_of_two(sizes: np.ndarray) -> np.ndarray:
    return 2.0 ** np.round(np.log2(sizes))
