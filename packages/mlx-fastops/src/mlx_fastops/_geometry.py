"""The arithmetic of convolution shapes, checked before any path runs.

    stride 2, dilation 2, padding 1            . x x x x x x .        . = padding
    output 0 sees                              ^   ^   ^
    output 1 sees                                  ^   ^   ^

A convolution has (n + 2*padding - span) // stride + 1 outputs with span = dilation*(taps-1) + 1;
a transposed one has (n-1)*stride - 2*padding + span + output_padding.
"""

from dataclasses import dataclass
from typing import Any

from mlx_fastops._arrays import Array

Ints = int | tuple[int, ...] | list[int]


@dataclass(frozen=True)
class Geometry:
    """Everything about a convolution but its arrays; one entry per spatial axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...]
    groups: int
    output: tuple[int, ...]

    @property
    def span(self) -> tuple[int, ...]:
        """Input frames from the first tap to the last, both counted."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))


def _ints(operation: str, name: str, value: Ints, axes: int, least: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    ok = len(values) == axes and all(
        isinstance(v, int) and not isinstance(v, bool) and v >= least for v in values
    )
    if not ok:
        wanted = f"an integer >= {least}" + (f" or {axes} of them" if axes > 1 else "")
        raise ValueError(f"{operation}: {name} is {value!r}; expected {wanted}")
    return values


def _check_shapes(
    operation: str, x: Array, weight: Array, bias: Array | None, axes: int, groups: int
) -> None:
    layout = "(batch, time, channels)" if axes == 1 else "(batch, height, width, channels)"
    if x.ndim != axes + 2:
        raise ValueError(f"{operation}: the input has shape {tuple(x.shape)}; expected {layout}")
    kernel = "taps" if axes == 1 else "height, width"
    if weight.ndim != axes + 2 or 0 in weight.shape:
        raise ValueError(
            f"{operation}: the weight has shape {tuple(weight.shape)}; "
            f"expected (out channels, {kernel}, in channels / groups), none of them 0"
        )
    out_channels, in_channels = weight.shape[0], weight.shape[-1] * groups
    if x.shape[-1] != in_channels:
        raise ValueError(
            f"{operation}: the input has {x.shape[-1]} channels (shape {tuple(x.shape)}); "
            f"a weight of shape {tuple(weight.shape)} with groups={groups} expects {in_channels}"
        )
    if out_channels % groups:
        raise ValueError(
            f"{operation}: groups is {groups}; "
            f"expected a divisor of the {out_channels} out channels"
        )
    if bias is not None and tuple(bias.shape) != (out_channels,):
        raise ValueError(
            f"{operation}: the bias has shape {tuple(bias.shape)}; expected ({out_channels},)"
        )


def conv_geometry(
    operation: str,
    x: Array,
    weight: Array,
    bias: Array | None,
    *,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
    output_padding: Ints | None = None,
) -> Geometry:
    """Check a convolution's arguments and return its geometry; a transposed one if output_padding.

    Raises ValueError with what was found and what is expected.
    """
    axes = 2 if "2d" in operation else 1
    (groups,) = _ints(operation, "groups", groups, 1, 1)
    _check_shapes(operation, x, weight, bias, axes, groups)
    found: dict[str, Any] = {
        "kernel": tuple(weight.shape[1:-1]),
        "stride": _ints(operation, "stride", stride, axes, 1),
        "padding": _ints(operation, "padding", padding, axes, 0),
        "dilation": _ints(operation, "dilation", dilation, axes, 1),
        "output_padding": _ints(
            operation, "output_padding", 0 if output_padding is None else output_padding, axes, 0
        ),
        "groups": groups,
    }
    output = []
    for axis in range(axes):
        n = x.shape[axis + 1]
        k, s, p, d, extra = (
            found[name][axis]
            for name in ("kernel", "stride", "padding", "dilation", "output_padding")
        )
        span = d * (k - 1) + 1
        where = "" if axes == 1 else f" along axis {axis + 1}"
        if output_padding is None:
            if n + 2 * p < span:
                raise ValueError(
                    f"{operation}: the input is {n} long{where}, {n + 2 * p} with padding {p}; "
                    f"a kernel of {k} with dilation {d} spans {span}: give at least {span - 2 * p}"
                )
            output.append((n + 2 * p - span) // s + 1)
            continue
        if extra and extra >= max(s, d):
            raise ValueError(
                f"{operation}: output_padding is {extra}{where}; "
                f"expected less than the stride {s} or the dilation {d}"
            )
        size = (n - 1) * s - 2 * p + span + extra
        if n < 1 or size < 1:
            raise ValueError(
                f"{operation}: an input {n} long{where} with stride {s}, kernel {k} and padding "
                f"{p} would give {max(size, 0)} outputs; expected at least 1: "
                "give a longer input or less padding"
            )
        output.append(size)
    return Geometry(output=tuple(output), **found)
