"""RNNCell, LSTMCell and GRUCell: one step of a recurrent network.

An input is (N, input_size) or (input_size,), a state (N, hidden_size) or (hidden_size,), zero where none is given.
Parameters start evenly from (-k, k), k = 1 / sqrt(hidden_size). The gates stand below one another in ``weight_ih``
(gates * hidden_size, input_size), ``weight_hh`` (gates * hidden_size, hidden_size) and the biases.
"""

import math
from typing import Any

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F, init
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter
from gradkit.primitives import recurrence as rows

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


class _Cell(Module):
    gates: int
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = self.gates * hidden_size
        place = {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(creation.empty((rows, input_size), **place))
        self.weight_hh = Parameter(creation.empty((rows, hidden_size), **place))
        self.bias_ih = Parameter(creation.empty(rows, **place)) if bias else None
        self.bias_hh = Parameter(creation.empty(rows, **place)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for param in self.parameters():
            init.uniform_(param, -bound, bound)

    def _pre_activations(self, input: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """What input and state contribute to each gate, side by side in the last axis."""
        return F.linear(input, self.weight_ih, self.bias_ih), F.linear(state, self.weight_hh, self.bias_hh)

    def _state(self, input: Tensor, given: Tensor | None) -> Tensor:
        kind = type(self).__name__
        if input.ndim not in (1, 2):
            raise ValueError(f"{kind}: Expected input to be 1D or 2D, got {input.ndim}D of shape {tuple(input.shape)}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.shape[-1]} expected {self.input_size}")
        wanted = (*input.shape[:-1], self.hidden_size)
        if given is None:
            given = creation.zeros(wanted, dtype=input.dtype, device=input.device)
        if given.shape != wanted:
            raise RuntimeError(
                f"{kind}: expected a hidden state of shape {wanted} for an input of shape {tuple(input.shape)}, "
                f"got {tuple(given.shape)}"
            )
        return given

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or relu in place of tanh; returns the new state.

    RuntimeError for sizes that do not fit or another ``nonlinearity``, ValueError for other ranks.

    >>> nn.RNNCell(10, 20)(gradkit.randn(3, 10)).shape
    gradkit.Size([3, 20])
    """

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}; RNNCell has 'tanh' and 'relu'")
        from_input, from_state = self._pre_activations(input, self._state(input, hx))
        activation = F.tanh if self.nonlinearity == "tanh" else F.relu
        state: Tensor = activation(from_input + from_state)
        return state

    def extra_repr(self) -> str:
        other = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + other


class LSTMCell(_Cell):
    """Long short-term memory: takes (h, c), returns the new (h, c).

    The gates i, f, g, o, in this order, are sigmoid, sigmoid, tanh and sigmoid of ``W_ih x + b_ih + W_hh h + b_hh``;
    ``c' = f * c + i * g`` and ``h' = o * tanh(c')``. Hochreiter and Schmidhuber (1997). Errors as `RNNCell`.

    >>> h, c = nn.LSTMCell(10, 20)(gradkit.randn(3, 10))
    >>> h.shape, c.shape
    (gradkit.Size([3, 20]), gradkit.Size([3, 20]))
    """

    gates = 4

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        h, c = (None, None) if hx is None else hx
        h, c = self._state(input, h), self._state(input, c)
        from_input, from_state = self._pre_activations(input, h)
        return lstm_step(from_input + from_state, c)


def lstm_step(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """The new (h, c), from what input and state contribute to the gates."""
    h, new = rows.lstm_step(gates, c)
    return h, new


class GRUCell(_Cell):
    """Gated recurrent unit; returns the new state.

    ``r`` and ``z`` are sigmoids of ``W_i x + b_i + W_h h + b_h``, each with its third of the parameters, in the order
    r, z, n; ``n = tanh(W_in x + b_in + r * (W_hn h + b_hn))`` and ``h' = (1 - z) * n + z * h``. Cho et al. (2014).
    Errors as `RNNCell`.

    >>> nn.GRUCell(10, 20)(gradkit.randn(3, 10)).shape
    gradkit.Size([3, 20])
    """

    gates = 3

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        h = self._state(input, hx)
        from_input, from_state = self._pre_activations(input, h)
        return gru_step(from_input, from_state, h)


def gru_step(from_input: Tensor, from_state: Tensor, h: Tensor) -> Tensor:
    """The new state, from what input and state contribute to the gates."""
    input_r, input_z, input_n = from_input.chunk(3, dim=-1)
    state_r, state_z, state_n = from_state.chunk(3, dim=-1)
    r = F.sigmoid(input_r + state_r)
    z = F.sigmoid(input_z + state_z)
    n = F.tanh(input_n + r * state_n)
    state: Tensor = n + z * (h - n)
    return state
