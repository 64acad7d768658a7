"""The GRU: one large product for all inputs, then a loop over time that allocates nothing."""

import numpy as np

from mlx_fastops._parallel import one_blas_thread

# Frames whose input products exist at once: bounds the memory of an hour of audio.
BLOCK_FRAMES = 4096


def gru(
    x: np.ndarray,
    w_ih: np.ndarray,
    w_hh: np.ndarray,
    b: np.ndarray | None,
    bhn: np.ndarray | None,
    h0: np.ndarray | None,
    reverse: bool,
) -> np.ndarray:
    """Run x (B, T, I) through the cell -> (B, T, H)."""
    batch, frames, inputs = x.shape
    hidden = w_hh.shape[1]
    y = np.empty((batch, frames, hidden), x.dtype)
    # r and z are 1 / (1 + exp(-a)): their sign is turned once, in the weights.
    sign = np.ones((3 * hidden, 1), x.dtype)
    sign[: 2 * hidden] = -1
    w_x = (w_ih * sign).T  # (I, 3H)
    w_h = (w_hh * sign).T  # (H, 3H)
    b_x = None if b is None else b * sign[:, 0]
    h = np.zeros((batch, hidden), x.dtype) if h0 is None else h0.astype(x.dtype)
    buffers = np.empty((batch, 3 * hidden), x.dtype), np.empty((batch, hidden), x.dtype)
    starts = range(0, frames, BLOCK_FRAMES)
    # exp may reach infinity: the gate is then exactly 0. And for few units BLAS computes with
    # what lies beside them in its buffers, by chance NaN: that is dropped, but NumPy hears of it.
    with np.errstate(over="ignore", invalid="ignore"):
        for start in reversed(starts) if reverse else starts:
            part = x[:, start : start + BLOCK_FRAMES].swapaxes(0, 1)  # (t, B, I)
            gates = np.matmul(part.reshape(-1, inputs), w_x)
            if b_x is not None:
                gates += b_x
            gates = gates.reshape(-1, batch, 3 * hidden)
            out = y[:, start : start + BLOCK_FRAMES].swapaxes(0, 1)  # (t, B, H)
            with one_blas_thread():
                _recur(
                    gates[::-1] if reverse else gates,
                    out[::-1] if reverse else out,
                    h,
                    w_h,
                    bhn,
                    buffers,
                )
    return y


def _recur(
    gates: np.ndarray,
    out: np.ndarray,
    h: np.ndarray,
    w_h: np.ndarray,
    bhn: np.ndarray | None,
    buffers: tuple[np.ndarray, np.ndarray],
) -> None:
    """Advance h (B, H) in place over gates (t, B, 3H), writing every state to out (t, B, H)."""
    hidden = h.shape[1]
    product, n = buffers
    rz, recurrent = product[:, : 2 * hidden], product[:, 2 * hidden :]
    r, z = rz[:, :hidden], rz[:, hidden:]
    for gate, state in zip(gates, out, strict=True):
        np.dot(h, w_h, out=product)
        rz += gate[:, : 2 * hidden]
        np.exp(rz, out=rz)
        rz += 1
        np.reciprocal(rz, out=rz)
        if bhn is not None:
            recurrent += bhn
        np.multiply(r, recurrent, out=n)
        n += gate[:, 2 * hidden :]
        np.tanh(n, out=n)
        h -= n
        h *= z
        h += n
        state[...] = h
