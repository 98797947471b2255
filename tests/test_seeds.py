"""The three documents the package started from: every cell, in the order it was run, with `torch` read as gradkit.

A cell is its source and what it showed. Node names and object addresses are not compared; where nothing was seeded the
values are computed again from the inputs that were printed.
"""

import ast
import contextlib
import io
import re

import pytest

import gradkit


class Notebook:
    """Runs cells in one namespace, as a notebook does: a last line that is an expression shows its value."""

    def __init__(self):
        self.names = {"gradkit": gradkit}

    def run(self, source):
        """What the cell printed, and then what its last expression is shown as."""
        body = ast.parse(source).body
        shown = io.StringIO()
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(shown):
            exec(compile(ast.Module(body, []), "cell", "exec"), self.names)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), "cell", "eval"), self.names)
                if value is not None:
                    print(as_notebook(value))
        return plain(shown.getvalue())

    def shows(self, source, expected):
        assert self.run(source) == plain(expected)

    def value(self, source):
        return eval(source, self.names)


def as_notebook(value):
    """A tuple of tensors as IPython lays it out, an element a line; white space is not compared."""
    return f"({', '.join(map(as_notebook, value))})" if type(value) is tuple else repr(value)


def plain(text):
    """Without what differs on purpose: node names, addresses, the package, the device, layout in white space."""
    text = re.sub(r"grad_fn=<\w+>", "grad_fn", text)
    text = re.sub(r"\s+(?=[\])])|(?<=[\[(])\s+", "", text.replace("torch.", "gradkit."))
    text = text.replace(", device='cuda:0'", "")
    return re.sub(r"\s+", " ", text).strip()


# -- PyTorch's page on autograd.functional.jvp: random inputs, not seeded and not printed
def test_jvp_page():
    notebook = Notebook()
    notebook.run("from gradkit.autograd.functional import jvp")
    notebook.run(
        "def exp_reducer(x):\n  return x.exp().sum(dim=1)\ninputs = gradkit.rand(4, 4)\nv = gradkit.ones(4, 4)"
    )
    y, y_t = notebook.value("jvp(exp_reducer, inputs, v)")
    assert gradkit.equal(y, notebook.value("inputs.exp().sum(dim=1)"))
    assert gradkit.allclose(y, y_t) and not y.requires_grad and not y_t.requires_grad
    y, y_t = notebook.value("jvp(exp_reducer, inputs, v, create_graph=True)")
    assert y.grad_fn is not None and y_t.grad_fn is not None
    notebook.run("def adder(x, y):\n  return 2 * x + 3 * y")
    notebook.run("inputs = (gradkit.rand(2), gradkit.rand(2))\nv = (gradkit.ones(2), gradkit.ones(2))")
    y, y_t = notebook.value("jvp(adder, inputs, v)")
    assert gradkit.equal(y, notebook.value("2 * inputs[0] + 3 * inputs[1]"))
    notebook.shows("jvp(adder, inputs, v)[1]", "tensor([5., 5.])")


# -- the notebook on jvp and jacobian: seeded with 42, so the digits are the same
JACOBIAN = """tensor([[[1.2925, 2.2114, 2.5620, 1.1425],
         [0.0000, 0.0000, 0.0000, 0.0000],
         [0.0000, 0.0000, 0.0000, 0.0000],
         [0.0000, 0.0000, 0.0000, 0.0000]],

        [[0.0000, 0.0000, 0.0000, 0.0000],
         [2.5462, 1.8105, 2.3855, 1.7642],
         [0.0000, 0.0000, 0.0000, 0.0000],
         [0.0000, 0.0000, 0.0000, 0.0000]],

        [[0.0000, 0.0000, 0.0000, 0.0000],
         [0.0000, 0.0000, 0.0000, 0.0000],
         [2.0982, 1.5363, 2.4241, 1.7752],
         [0.0000, 0.0000, 0.0000, 0.0000]],

        [[0.0000, 0.0000, 0.0000, 0.0000],
         [0.0000, 0.0000, 0.0000, 0.0000],
         [0.0000, 0.0000, 0.0000, 0.0000],
         [1.3055, 1.8728, 1.3095, 1.5548]]])"""
ROWS_FOUR_TIMES = """tensor([[7.2083, 7.2083, 7.2083, 7.2083],
        [8.5064, 8.5064, 8.5064, 8.5064],
        [7.8338, 7.8338, 7.8338, 7.8338],
        [6.0426, 6.0426, 6.0426, 6.0426]])"""
JVP_NOTEBOOK = [
    ("def f(x):\n    return 2*x", ""),
    (
        "x = gradkit.rand(2)\nv = gradkit.tensor([1., 2.])\njvp(f, x, v)",
        "(tensor([1.7645, 1.8300]), tensor([2., 4.]))",
    ),
    ("x", "tensor([0.8823, 0.9150])"),
    ("gradkit.autograd.functional.jacobian(f, x)", "tensor([[2., 0.],\n        [0., 2.]])"),
    ("def adder(x, y):\n    return 2 * x + 3 * y", ""),
    (
        "inputs = (gradkit.rand(2), gradkit.rand(2))\nv = (gradkit.tensor([1., 2.]), "
        "gradkit.tensor([2., 3.]))\ninputs, v",
        "((tensor([0.3829, 0.9593]), tensor([0.3904, 0.6009])), (tensor([1., 2.]), tensor([2., 3.])))",
    ),
    ("jvp(adder, inputs, v)", "(tensor([1.9371, 3.7213]), tensor([ 8., 13.]))"),
    ("gradkit.autograd.functional.jacobian(lambda x: 2*x, inputs[0]) @ v[0]", "tensor([2., 4.])"),
    ("gradkit.autograd.functional.jacobian(lambda y: 3*y, inputs[1]) @ v[1]", "tensor([6., 9.])"),
    (
        "def exp_reducer(x):\n    return x.exp().sum(dim=1)\n"
        "inputs = gradkit.rand(4, 4)\nv = gradkit.ones(4, 4)\njvp(exp_reducer, inputs, v)",
        "(tensor([7.2083, 8.5064, 7.8338, 6.0426]), tensor([7.2083, 8.5064, 7.8338, 6.0426]))",
    ),
    ("gradkit.autograd.functional.jacobian(exp_reducer, inputs)", JACOBIAN),
    (
        "inputs.exp()",
        "tensor([[1.2925, 2.2114, 2.5620, 1.1425],\n        [2.5462, 1.8105, 2.3855, 1.7642],\n"
        "        [2.0982, 1.5363, 2.4241, 1.7752],\n        [1.3055, 1.8728, 1.3095, 1.5548]])",
    ),
    ("inputs.exp().sum(dim=1)", "tensor([7.2083, 8.5064, 7.8338, 6.0426])"),
    ("gradkit.autograd.functional.jacobian(exp_reducer, inputs).shape", "gradkit.Size([4, 4, 4])"),
    (
        "gradkit.autograd.functional.jacobian(exp_reducer, inputs)[0] @ gradkit.ones(4, 4) +\\\n"
        "gradkit.autograd.functional.jacobian(exp_reducer, inputs)[1] @ gradkit.ones(4, 4) +\\\n"
        "gradkit.autograd.functional.jacobian(exp_reducer, inputs)[2] @ gradkit.ones(4, 4) +\\\n"
        "gradkit.autograd.functional.jacobian(exp_reducer, inputs)[3] @ gradkit.ones(4, 4)",
        ROWS_FOUR_TIMES,
    ),
    ("gradkit.matmul(gradkit.autograd.functional.jacobian(exp_reducer, inputs), v).sum(dim=1)", ROWS_FOUR_TIMES),
]


def test_jvp_notebook():
    notebook = Notebook()
    notebook.run("from gradkit.autograd.functional import jvp")
    assert isinstance(notebook.value("gradkit.manual_seed(42)"), gradkit.Generator)
    for source, shown in JVP_NOTEBOOK:
        notebook.shows(source, shown)


# -- the notebook on backward, retain_graph and detach
BACKWARD_NOTEBOOK = [
    (
        "inp = gradkit.eye(4, 5, requires_grad=True)\nprint(inp)",
        "tensor([[1., 0., 0., 0., 0.],\n        [0., 1., 0., 0., 0.],\n        [0., 0., 1., 0., 0.],\n"
        "        [0., 0., 0., 1., 0.]], requires_grad=True)",
    ),
    (
        "out = (inp+1).pow(2).t()\nprint(out)",
        "tensor([[4., 1., 1., 1.],\n        [1., 4., 1., 1.],\n        [1., 1., 4., 1.],\n        [1., 1., 1., 4.],\n"
        "        [1., 1., 1., 1.]], grad_fn=<TBackward0>)",
    ),
    ("out.backward(gradkit.ones_like(out), retain_graph=True)", ""),
    (
        "inp.grad",
        "tensor([[4., 2., 2., 2., 2.],\n        [2., 4., 2., 2., 2.],\n        [2., 2., 4., 2., 2.],\n"
        "        [2., 2., 2., 4., 2.]])",
    ),
    (
        'print(f"First call\\n{inp.grad}")',
        "First call\ntensor([[4., 2., 2., 2., 2.],\n        [2., 4., 2., 2., 2.],\n        [2., 2., 4., 2., 2.],\n"
        "        [2., 2., 2., 4., 2.]])",
    ),
    (
        'out.backward(gradkit.ones_like(out), retain_graph=True)\nprint(f"\\nSecond call\\n{inp.grad}")',
        "Second call\ntensor([[8., 4., 4., 4., 4.],\n        [4., 8., 4., 4., 4.],\n        [4., 4., 8., 4., 4.],\n"
        "        [4., 4., 4., 8., 4.]])",
    ),
    (
        "inp.grad.zero_()",
        "tensor([[0., 0., 0., 0., 0.],\n        [0., 0., 0., 0., 0.],\n        [0., 0., 0., 0., 0.],\n"
        "        [0., 0., 0., 0., 0.]])",
    ),
    (
        "input = gradkit.tensor([2.0, 3.0])\ny = gradkit.tensor(1.0)\n"
        "w = gradkit.tensor([1.0, 0.1], requires_grad=True)\nb = gradkit.tensor(0.3, requires_grad=True)\n"
        "z = gradkit.dot(input, w) + b\ny_pred = gradkit.relu(z)\n"
        "loss = gradkit.nn.functional.binary_cross_entropy_with_logits(y, y_pred)\nloss.backward()\nprint(input.grad)",
        "None",
    ),
    (
        "x = gradkit.tensor([1.0, 2.0, 3.0], requires_grad=True)\ny = x**2\nz = y.mean()\nprint(z)\nz.backward()\n"
        'print("gradients", x.grad)\nx.grad.zero_()',
        "tensor(4.6667, grad_fn=<MeanBackward0>)\ngradients tensor([0.6667, 1.3333, 2.0000])\ntensor([0., 0., 0.])",
    ),
    (
        "x = gradkit.tensor([1.8, 0.5, 0.9, 0.2], requires_grad=True)\ny = (x ** 2).mean()\n"
        'print("x value with grad -" , x)\ny.backward()\nz = x.detach()\n'
        'print("z value after detach - separated from the computational graph - ", z)',
        "x value with grad - tensor([1.8000, 0.5000, 0.9000, 0.2000], requires_grad=True)\n"
        "z value after detach - separated from the computational graph -  tensor([1.8000, 0.5000, 0.9000, 0.2000])",
    ),
]


def test_backward_notebook():
    notebook = Notebook()
    for source, shown in BACKWARD_NOTEBOOK:
        notebook.shows(source, shown)


def test_rand_without_a_size_raises_as_in_the_notebook():
    with pytest.raises(TypeError, match=r"rand\(\) received an invalid combination of arguments - got \(\)"):
        Notebook().run("w = gradkit.rand()")


W = """[[0.2414, 0.0740, 0.8841, 0.4452, 0.9664, 0.9470],
    [0.8741, 0.3764, 0.0526, 0.2089, 0.8558, 0.6689],
    [0.7160, 0.8107, 0.6163, 0.7649, 0.6899, 0.0584],
    [0.4551, 0.3484, 0.8497, 0.9476, 0.0980, 0.0871],
    [0.1794, 0.4035, 0.9815, 0.8886, 0.2430, 0.0722]]"""


def test_linear_layer_cell_from_its_printed_weights():
    notebook = Notebook()
    notebook.shows("x = gradkit.ones([5,5])\nprint(x)", "tensor([" + ",\n".join(["[1., 1., 1., 1., 1.]"] * 5) + "])")
    notebook.shows(f"w = gradkit.tensor({W}, requires_grad=True)\nprint(w)", f"tensor({W}, requires_grad=True)")
    notebook.shows(
        "b = gradkit.zeros( 6, requires_grad=True)\nprint(b)", "tensor([0., 0., 0., 0., 0., 0.], requires_grad=True)"
    )
    z = notebook.value("x @ w+ b")
    assert z.grad_fn.name() == "AddBackward0"
    # The weights were printed to 4 digits, so a sum of five of them is known to within 2.5e-4.
    expected = gradkit.tensor([2.4660, 2.0130, 3.3843, 3.2552, 2.8530, 1.8336]).expand(5, 6)
    assert gradkit.allclose(z, expected, rtol=0, atol=3e-4)
