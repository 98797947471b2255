"""RNN, LSTM and GRU: recurrent layers over whole sequences, stacked and in both directions.

An input is (L, N, input_size), (N, L, input_size) with ``batch_first``, (L, input_size) for one sequence, or a
PackedSequence. A state is (D * num_layers, N, hidden_size), or without N, zero where none is given; D is 2 where
``bidirectional``. Parameters have PyTorch's names, ``weight_ih_l0`` and so on, with ``_reverse`` for the way back.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F, init
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter
from gradkit.nn.recurrent import gru_step, lstm_step
from gradkit.nn.utils.rnn import PackedSequence
from gradkit.ops.joining import cat, stack

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

State = tuple[Tensor, ...]


class RNNBase(Module):
    """What the recurrent layers share: everything but one step."""

    gates: int
    parts = 1  # of a state

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__()
        check_options(hidden_size, num_layers, dropout, proj_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._names: list[list[str]] = []  # of each layer's parameters, one list for each direction
        ways = ("", "_reverse") if bidirectional else ("",)
        width, rows = proj_size or hidden_size, self.gates * hidden_size
        for layer in range(num_layers):
            columns = input_size if layer == 0 else width * len(ways)
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, columns), "weight_hh": (rows, width)}
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}
            shapes |= {"weight_hr": (proj_size, hidden_size)} if proj_size else {}
            for way in ways:
                for name, shape in shapes.items():
                    setattr(self, f"{name}_l{layer}{way}", Parameter(creation.empty(shape, device=device, dtype=dtype)))
                self._names.append([f"{name}_l{layer}{way}" for name in shapes])
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.hidden_size)
        for param in self.parameters():
            init.uniform_(param, -bound, bound)

    @property
    def all_weights(self) -> list[list[Parameter]]:
        return [[getattr(self, name) for name in names] for names in self._names]

    def flatten_parameters(self) -> None:
        """Nothing: PyTorch's programs ask for it, and memory needs no arranging here.

        >>> nn.GRU(2, 3).flatten_parameters()
        """

    # -- one step: what the classes below say
    def _merged_bias(self, biases: list[Tensor]) -> tuple[Tensor | None, Tensor | None]:
        """What is added to what the input contributes, and to what the state contributes."""
        return (biases[0] + biases[1], None) if biases else (None, None)

    def _step(self, from_input: Tensor, from_state: Tensor, state: State) -> State:
        raise NotImplementedError

    # -- a sequence
    def _run(self, data: Tensor, sizes: Sequence[int], state: State, weights: Sequence[Tensor], back: bool) -> tuple[Tensor, State]:
        """One layer in one direction over packed data; the packed outputs, and the state each sequence ends with."""
        w_ih, w_hh, *rest = weights
        b_ih, b_hh = self._merged_bias(list(rest[:2]) if self.bias else [])
        inputs = F.linear(data, w_ih, b_ih).split(list(sizes))
        outputs: list[Tensor] = [data] * len(sizes)
        waiting = state  # of sequences that come in on the way back, when it has reached their end
        if back:
            state = tuple([s[: sizes[-1]] for s in waiting])
        ended: list[State] = []
        for t in reversed(range(len(sizes))) if back else range(len(sizes)):
            count, size = state[0].shape[0], sizes[t]
            if size > count:
                state = tuple([cat([s, w[count:size]]) for s, w in zip(state, waiting, strict=True)])
            elif size < count:
                ended.append(tuple([s[size:] for s in state]))
                state = tuple([s[:size] for s in state])
            state = self._step(inputs[t], F.linear(state[0], w_hh, b_hh), state)
            if self.proj_size:
                state = (F.linear(state[0], rest[-1]), *state[1:])
            outputs[t] = state[0]
        final = tuple([cat([s, *[part[i] for part in reversed(ended)]]) if ended else s for i, s in enumerate(state)])
        return cat(outputs), final

    def _layers(self, data: Tensor, sizes: Sequence[int], states: State) -> tuple[Tensor, list[State]]:
        ways = 2 if self.bidirectional else 1
        finals: list[State] = []
        for first in range(0, len(self._names), ways):
            if first and self.dropout:
                data = F.dropout(data, self.dropout, self.training)
            outputs = []
            for number in range(first, first + ways):
                weights = [getattr(self, name) for name in self._names[number]]
                start = tuple([s[number] for s in states])
                output, final = self._run(data, sizes, start, weights, back=number > first)
                outputs.append(output)
                finals.append(final)
            data = cat(outputs, -1) if ways > 1 else outputs[0]
        return data, finals

    # -- arguments
    def forward(self, input: Any, hx: Any = None) -> Any:
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        kind = type(self).__name__
        if input.ndim not in (2, 3):
            raise ValueError(f"{kind}: Expected input to be 2D or 3D, got {input.ndim}D instead")
        batched = input.ndim == 3
        x = input if batched else input.unsqueeze(1)
        if batched and self.batch_first:
            x = x.transpose(0, 1)
        length, count = x.shape[:2]
        states = self._states(x, count, hx, batched)
        data, finals = self._layers(x.reshape(length * count, -1), [count] * length, states)
        y = data.reshape(length, count, -1)
        if batched and self.batch_first:
            y = y.transpose(0, 1)
        return (y if batched else y.squeeze(1)), self._packed_up(finals, None, batched)

    def _forward_packed(self, input: PackedSequence, hx: Any) -> Any:
        sizes = input.batch_sizes.tolist()
        states = self._states(input.data, sizes[0], hx, True)
        if hx is not None and input.sorted_indices is not None:
            states = tuple([s[:, input.sorted_indices] for s in states])
        data, finals = self._layers(input.data, sizes, states)
        return input._replace(data=data), self._packed_up(finals, input.unsorted_indices, True)

    def _packed_up(self, finals: list[State], order: Tensor | None, batched: bool) -> Any:
        """The final states of all layers as PyTorch returns them."""
        states = [stack(list(parts)) for parts in zip(*finals, strict=True)]
        if order is not None:
            states = [s[:, order] for s in states]
        if not batched:
            states = [s.squeeze(1) for s in states]
        return tuple(states) if self.parts > 1 else states[0]

    def _states(self, x: Tensor, count: int, hx: Any, batched: bool) -> State:
        """The states to start from, (D * num_layers, N, width) each, after checking them and the input."""
        if x.shape[-1] != self.input_size:
            raise RuntimeError(f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}")
        widths = (self.proj_size or self.hidden_size, self.hidden_size)[: self.parts]
        shapes = [(len(self._names), count, width) for width in widths]
        if hx is None:
            return tuple([creation.zeros(shape, dtype=x.dtype, device=x.device) for shape in shapes])
        given = tuple(hx) if self.parts > 1 else (hx,)
        wanted = 3 if batched else 2
        if any([s.ndim != wanted for s in given]):
            what = "hx and cx" if self.parts > 1 else "hx"
            raise RuntimeError(
                f"For {'' if batched else 'un'}batched {wanted}-D input, {what} should also be {wanted}-D but got "
                f"{' and '.join([f'{s.ndim}-D' for s in given])} tensors"
            )
        given = given if batched else tuple([s.unsqueeze(1) for s in given])
        for i, (s, shape) in enumerate(zip(given, shapes, strict=True)):
            if s.shape != shape:
                which = f"[{i}]" if self.parts > 1 else ""
                raise RuntimeError(f"Expected hidden{which} size {shape}, got {list(s.shape)}")
        return given

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        return shown + "".join(
            [f", {name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        )


def check_options(hidden_size: int, num_layers: int, dropout: float, proj_size: int) -> None:
    if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
        raise ValueError("dropout should be a number in range [0, 1] representing the probability of an element being zeroed")
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    if not isinstance(hidden_size, int):
        raise TypeError(f"hidden_size should be of type int, got: {type(hidden_size).__name__}")
    for name, number in (("hidden_size", hidden_size), ("num_layers", num_layers)):
        if number <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


class RNN(RNNBase):
    """``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`` along a sequence, or relu in place of tanh.

    Returns the outputs of the last layer, (L, N, D * hidden_size), and the final states. ``dropout`` falls on the outputs
    of all layers but the last. Parameters start evenly from (-k, k), k = 1 / sqrt(hidden_size). ValueError for
    options out of range, RuntimeError for inputs and states that do not fit. Elman (1990).

    >>> output, h = nn.RNN(10, 20, num_layers=2)(gradkit.randn(5, 3, 10))
    >>> output.shape, h.shape
    (gradkit.Size([5, 3, 20]), gradkit.Size([2, 3, 20]))
    """

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype)
        self.nonlinearity = nonlinearity

    def _step(self, from_input: Tensor, from_state: Tensor, state: State) -> State:
        activation: Callable[[Tensor], Tensor] = F.tanh if self.nonlinearity == "tanh" else F.relu
        return (activation(from_input + from_state),)


class LSTM(RNNBase):
    """Long short-term memory along a sequence; see `LSTMCell` for one step.

    Returns the outputs of the last layer, (L, N, D * hidden_size), and the final (h, c). With ``proj_size`` the outputs and
    h have that width: h is multiplied by ``weight_hr`` (proj_size, hidden_size); Sak et al. (2014). The rest as `RNN`.

    >>> output, (h, c) = nn.LSTM(10, 20, batch_first=True, bidirectional=True)(gradkit.randn(3, 5, 10))
    >>> output.shape, h.shape
    (gradkit.Size([3, 5, 40]), gradkit.Size([2, 3, 20]))
    """

    gates = 4
    parts = 2

    def _step(self, from_input: Tensor, from_state: Tensor, state: State) -> State:
        return lstm_step(from_input + from_state, state[1])


class GRU(RNNBase):
    """Gated recurrent units along a sequence; see `GRUCell` for one step, and `RNN` for the rest.

    >>> output, h = nn.GRU(10, 20)(gradkit.randn(5, 10))
    >>> output.shape, h.shape
    (gradkit.Size([5, 20]), gradkit.Size([1, 20]))
    """

    gates = 3

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype)

    def _merged_bias(self, biases: list[Tensor]) -> tuple[Tensor | None, Tensor | None]:
        return (biases[0], biases[1]) if biases else (None, None)

    def _step(self, from_input: Tensor, from_state: Tensor, state: State) -> State:
        return (gru_step(from_input, from_state, state[0]),)
