"""The GRU's recurrence as one kernel: many time steps in one launch, on Metal and on CUDA.

One group of threads carries one state (a batch item in one direction) through time, because only
the threads of a group can wait for each other. Thread `lane` works for unit `lane % HIDDEN` and
sums over one of SPLITS stretches of the state:

    HIDDEN 4, SPLITS 2     lane  0 1 2 3 | 4 5 6 7
                           unit  0 1 2 3 | 0 1 2 3
                           state 0-1     | 2-3        then lanes 0-3 add what lanes 4-7 found

The weights are read from memory at every step; neighbouring lanes read neighbouring numbers. The
body below is one text for both languages: what differs stands in a few macros, and a third set of
them lets a C++ compiler run it on a CPU, which is how the tests check its arithmetic.

Arrays, float32 unless said otherwise, D directions, B batch items, T frames:

    gates  (B, T, D, 3H)  input products with their bias      u    (D, H, 3H)  weights, transposed
    bhn    (D, H)                                             h0   (D, B, H)
    params int32: B, T, first step, steps, and for each direction 1 if it runs backwards
    out    (D, B, steps, H)  states in order of time          last (D, B, H)   the last step's
"""

from collections.abc import Callable

import mlx.core as mx

MOST_THREADS = 1024  # of a group, on both kinds of GPU

INPUTS = ["gates", "u", "bhn", "h0", "params"]
OUTPUTS = ["out", "last"]

BODY = """
    GRU_SHARED(state, HIDDEN);
    GRU_SHARED(partial, (SPLITS > 1 ? SPLITS - 1 : 1) * 3 * HIDDEN);
    const int unit = lane % HIDDEN;
    const int split = lane / HIDDEN;
    const int direction = group % DIRECTIONS;
    const int item = group / DIRECTIONS;
    const int batch = params[0];
    const int frames = params[1];
    const int first = params[2];
    const int steps = params[3];
    const bool backwards = params[4 + direction] != 0;
    const int low = split * HIDDEN / SPLITS;
    const int high = (split + 1) * HIDDEN / SPLITS;
    const gru_index place = gru_index(direction) * batch + item;
    float h = h0[place * HIDDEN + unit];
    if (split == 0) {
        state[unit] = h;
    }
    GRU_BARRIER();
    for (int step = 0; step < steps; ++step) {
        float r = 0.0f;
        float z = 0.0f;
        float n = 0.0f;
        for (int k = low; k < high; ++k) {
            const float s = state[k];
            const int at = (direction * HIDDEN + k) * 3 * HIDDEN + unit;
            r += s * u[at];
            z += s * u[at + HIDDEN];
            n += s * u[at + 2 * HIDDEN];
        }
        if (split > 0) {
            const int at = (split - 1) * 3 * HIDDEN + unit;
            partial[at] = r;
            partial[at + HIDDEN] = z;
            partial[at + 2 * HIDDEN] = n;
        }
        GRU_BARRIER();
        if (split == 0) {
            for (int other = 0; other < SPLITS - 1; ++other) {
                const int at = other * 3 * HIDDEN + unit;
                r += partial[at];
                z += partial[at + HIDDEN];
                n += partial[at + 2 * HIDDEN];
            }
            const int t = backwards ? frames - 1 - first - step : first + step;
            const gru_index at =
                ((gru_index(item) * frames + t) * DIRECTIONS + direction) * 3 * HIDDEN + unit;
            // Bounded, so that exp stays finite: fast arithmetic may know no infinity.
            const float a = r + gates[at];
            r = 1.0f / (1.0f + GRU_EXP(a < -80.0f ? 80.0f : -a));
            const float b = z + gates[at + HIDDEN];
            z = 1.0f / (1.0f + GRU_EXP(b < -80.0f ? 80.0f : -b));
            const float c = gates[at + 2 * HIDDEN] + r * (n + bhn[direction * HIDDEN + unit]);
            n = 1.0f - 2.0f / (1.0f + GRU_EXP(c > 40.0f ? 80.0f : 2.0f * c));  // tanh
            h = n + z * (h - n);
            state[unit] = h;
            const int row = backwards ? steps - 1 - step : step;
            out[(place * steps + row) * HIDDEN + unit] = h;
        }
        GRU_BARRIER();
    }
    if (split == 0) {
        last[place * HIDDEN + unit] = h;
    }
"""

METAL_HEADER = """
#define GRU_SHARED(name, count) threadgroup float name[count]
#define GRU_BARRIER() threadgroup_barrier(metal::mem_flags::mem_threadgroup)
#define GRU_EXP(x) metal::precise::exp(x)
typedef long gru_index;
"""

METAL_SOURCE = (
    """
    const int lane = int(thread_position_in_threadgroup.x);
    const int group = int(threadgroup_position_in_grid.x);
"""
    + BODY
)

CUDA_HEADER = """
#define GRU_SHARED(name, count) __shared__ float name[count]
#define GRU_BARRIER() __syncthreads()
#define GRU_EXP(x) expf(x)
typedef long long gru_index;
"""

CUDA_SOURCE = (
    """
    const int lane = int(threadIdx.x);
    const int group = int(blockIdx.x);
"""
    + BODY
)

Launch = Callable[..., tuple[mx.array, mx.array]]


def splits(hidden: int) -> int:
    """Stretches that the state is cut into: as many as threads allow, at most 8."""
    return max(1, min(8, MOST_THREADS // hidden, hidden))


def gpu_launch() -> Launch:
    """Build the kernel of the GPU at hand; `launch(gates, u, bhn, h0, params)` -> (out, last)."""
    if mx.metal.is_available():
        kernel = mx.fast.metal_kernel(
            "mlx_fastops_gru", INPUTS, OUTPUTS, METAL_SOURCE, header=METAL_HEADER
        )
    else:
        kernel = mx.fast.cuda_kernel(
            "mlx_fastops_gru", INPUTS, OUTPUTS, CUDA_SOURCE, header=CUDA_HEADER
        )

    def launch(
        gates: mx.array, u: mx.array, bhn: mx.array, h0: mx.array, params: list[int]
    ) -> tuple[mx.array, mx.array]:
        directions, batch, hidden = h0.shape
        threads = hidden * splits(hidden)
        template = {"HIDDEN": hidden, "SPLITS": splits(hidden), "DIRECTIONS": directions}
        out, last = kernel(  # type: ignore[operator]
            inputs=[gates, u, bhn, h0, mx.array(params, mx.int32)],
            template=list(template.items()),
            grid=(threads * batch * directions, 1, 1),
            threadgroup=(threads, 1, 1),
            output_shapes=[(directions, batch, params[3], hidden), h0.shape],
            output_dtypes=[mx.float32, mx.float32],
        )
        return out, last

    return launch
