"""Transposed convolution as an ordinary one: each output phase sees every stride-th tap.

Output u = stride*v + q adds the taps k with k*dilation = q (mod stride), and those meet x[v],
x[v-1], ... So each phase q is a convolution of x with ceil(span / stride) taps; in one dimension
the phases lie beside each other as channels, and interleaving them is only a change of shape:

    stride 2, 4 taps     y[2v]   = W0 x[v] + W2 x[v-1]
                         y[2v+1] = W1 x[v] + W3 x[v-1]
"""

from dataclasses import replace
from functools import partial

import numpy as np

from mlx_fastops._arrays import Array
from mlx_fastops._blas_conv1d import convolution_jobs
from mlx_fastops._blas_conv2d import convolve_into
from mlx_fastops._geometry import Geometry
from mlx_fastops._packed import packed
from mlx_fastops._parallel import run


def conv_transpose1d(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry, owner: Array
) -> np.ndarray:
    """Spread x (B, T, C) with weight (O, K, C/groups) -> (B, T_out, O).

    `owner` is the array the caller gave as weight: the phases are kept with it.
    """
    (stride,), (padding,) = geometry.stride, geometry.padding
    batch, frames, channels = x.shape
    out_channels, groups = weight.shape[0], geometry.groups
    taps = -(-geometry.span[0] // stride)
    (length,) = geometry.output
    # Frames of y before cropping: all that x reaches, and what output_padding adds after it.
    phases = max(frames + taps - 1, -(-(padding + length) // stride))
    matrices = packed(
        owner,
        f"phases {stride} {geometry.dilation[0]} {groups} {weight.dtype}",
        lambda: _phases(weight, stride, geometry.dilation[0], taps, groups),
    )
    inner = replace(
        geometry, kernel=(taps,), stride=(1,), dilation=(1,), padding=(taps - 1,), groups=1
    )
    group_in, group_out = channels // groups, out_channels // groups
    y = np.empty((batch, phases, stride, out_channels), x.dtype)
    y[:, frames + taps - 1 :] = 0 if bias is None else bias
    jobs = []
    for b in range(batch):
        for g in range(groups):
            signal = np.ascontiguousarray(x[b, :, g * group_in : (g + 1) * group_in])
            rows = slice(g * group_out, (g + 1) * group_out)
            tiled = None if bias is None else np.tile(bias[rows], stride)
            if groups == 1:
                out = y[b, : frames + taps - 1].reshape(-1, stride * out_channels)
                jobs += convolution_jobs(signal, matrices[0], tiled, out, inner)
            else:
                out = np.empty((frames + taps - 1, stride * group_out), x.dtype)
                run(convolution_jobs(signal, matrices[g], tiled, out, inner))
                y[b, : frames + taps - 1, :, rows] = out.reshape(-1, stride, group_out)
    run(jobs)
    y = y.reshape(batch, phases * stride, out_channels)[:, padding : padding + length]
    return y if y.flags.c_contiguous else np.ascontiguousarray(y)


def _phases(weight: np.ndarray, stride: int, dilation: int, taps: int, groups: int) -> np.ndarray:
    """Return (groups, taps*C/groups, stride*O/groups) from weight (O, K, C/groups)."""
    out_channels, kernel, group_in = weight.shape
    spread = np.zeros((out_channels, taps * stride, group_in), weight.dtype)
    spread[:, : dilation * kernel : dilation][:, :kernel] = weight
    spread = spread.reshape(groups, out_channels // groups, taps, stride, group_in)
    # The newest frame comes last in a run of frames and meets the first tap.
    spread = spread[:, :, ::-1].transpose(0, 2, 4, 3, 1)  # (groups, taps, C, stride, O)
    return np.ascontiguousarray(spread).reshape(groups, taps * group_in, -1)


def conv_transpose2d(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry, owner: Array
) -> np.ndarray:
    """Spread x (B, H, W, C) with weight (O, KH, KW, C/groups) -> (B, H_out, W_out, O).

    Every pair of phases is a convolution with its own part of the kernel.
    """
    (stride_h, stride_w), (pad_h, pad_w) = geometry.stride, geometry.padding
    batch, height, width, _ = x.shape
    out_h, out_w = geometry.output
    span_h, span_w = geometry.span
    # Before cropping, padding is part of the output; what output_padding adds lies at the end.
    full = np.empty(
        (
            batch,
            max((height - 1) * stride_h + span_h, pad_h + out_h),
            max((width - 1) * stride_w + span_w, pad_w + out_w),
            weight.shape[0],
        ),
        x.dtype,
    )
    nothing = 0 if bias is None else bias
    for i in range(stride_h):
        for j in range(stride_w):
            phase = full[:, i::stride_h, j::stride_w]
            taps = packed(
                owner,
                f"phase {i} {j} {geometry.stride} {geometry.dilation} {weight.dtype}",
                partial(_phase, weight, geometry, i, j),
            )
            kernel = taps.shape[1:3]
            if 0 in kernel:
                phase[...] = nothing
                continue
            reach = (height + kernel[0] - 1, width + kernel[1] - 1)
            phase[:, reach[0] :] = nothing
            phase[:, :, reach[1] :] = nothing
            inner = replace(
                geometry,
                kernel=kernel,
                stride=(1, 1),
                dilation=(1, 1),
                padding=(kernel[0] - 1, kernel[1] - 1),
                output=reach,
            )
            convolve_into(phase[:, : reach[0], : reach[1]], x, taps, bias, inner)
    return np.ascontiguousarray(full[:, pad_h : pad_h + out_h, pad_w : pad_w + out_w])


def _phase(weight: np.ndarray, geometry: Geometry, i: int, j: int) -> np.ndarray:
    """Return the taps that outputs i and j beyond a multiple of the stride see, newest last."""
    stride_h, stride_w = geometry.stride
    taps = _undilated(weight, geometry)[:, i::stride_h, j::stride_w]
    return np.ascontiguousarray(taps[:, ::-1, ::-1])


def _undilated(weight: np.ndarray, geometry: Geometry) -> np.ndarray:
    if geometry.dilation == (1, 1):
        return weight
    spread = np.zeros((weight.shape[0], *geometry.span, weight.shape[-1]), weight.dtype)
    spread[:, :: geometry.dilation[0], :: geometry.dilation[1]] = weight
    return spread
