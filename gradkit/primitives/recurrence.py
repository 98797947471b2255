"""One step of long short-term memory behind the products of matrices: a row, so that a sequence costs few nodes."""

from typing import Any

from gradkit.families import general


def parts(xp, gates, c) -> tuple[Any, ...]:
    """The gates i, f, g, o after their functions, and the new c."""
    n = c.shape[-1]
    i, f = xp.sigmoid(gates[..., :n]), xp.sigmoid(gates[..., n : 2 * n])
    g, o = xp.tanh(gates[..., 2 * n : 3 * n]), xp.sigmoid(gates[..., 3 * n :])
    return i, f, g, o, f * c + i * g


def forward(xp, gates, c):
    *_, o, new = parts(xp, gates, c)
    return [o * xp.tanh(new), new]


def vjp(xp, d, _y, gates, c) -> list[Any]:
    d_h, d_new = d
    i, f, g, o, new = parts(xp, gates, c)
    t = xp.tanh(new)
    d_o, d_c = (None, d_new) if d_h is None else (d_h * t, d_h * o * (1 - t * t))
    if d_h is not None and d_new is not None:
        d_c = d_c + d_new
    shares = [d_c * g * i * (1 - i), d_c * c * f * (1 - f), d_c * i * (1 - g * g)]
    shares.append(xp.zeros_like(i) if d_o is None else d_o * o * (1 - o))
    return [xp.concat(shares, axis=-1), d_c * f]


def jvp(xp, ts, _y, gates, c) -> list[Any]:
    gates_t, c_t = ts
    i, f, g, o, new = parts(xp, gates, c)
    t = xp.tanh(new)
    n = c.shape[-1]
    new_t = h_t = xp.zeros_like(c)
    if gates_t is not None:
        i_t, f_t = gates_t[..., :n] * i * (1 - i), gates_t[..., n : 2 * n] * f * (1 - f)
        new_t = i_t * g + f_t * c + gates_t[..., 2 * n : 3 * n] * (1 - g * g) * i
        h_t = gates_t[..., 3 * n :] * o * (1 - o) * t
    if c_t is not None:
        new_t = new_t + f * c_t
    return [h_t + o * (1 - t * t) * new_t, new_t]


# gates (..., 4 n) and c (..., n): the new h and c, (..., n) each
lstm_step = general(
    "lstm_step", forward, vjp, jvp, [((3, 8), (3, 2), {}), ((2, 2, 4), (2, 2, 1), {})], arity=2, outputs=2,
    structure="dense", title="ThnnFusedLstmCellBackward0",
)
