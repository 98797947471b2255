"""functional_call and stack_module_state against PyTorch's; per-sample gradients and ensembles of modules."""

import numpy as np
import pytest

import gradkit
from gradkit import nn
from gradkit.func import functional_call, grad, hessian, jacrev, stack_module_state, vmap

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
Y = np.linspace(0, 1, 8, dtype=np.float32).reshape(4, 2)


def network(nn):
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))


def parameters(model):
    rng = np.random.default_rng(0)
    return {n: rng.standard_normal(tuple(p.shape)).astype(np.float32) for n, p in model.named_parameters()}


def test_per_sample_gradients_are_pytorchs(torch):
    found = []
    for lib in (gradkit, torch):
        model, func = network(lib.nn), lib.func
        params = {n: lib.tensor(p) for n, p in parameters(network(nn)).items()}

        def loss(params, x, y, model=model, func=func):
            return ((func.functional_call(model, params, (x,)) - y) ** 2).sum()

        found.append(func.vmap(func.grad(loss), in_dims=(None, 0, 0))(params, lib.tensor(X), lib.tensor(Y)))
    assert list(found[0]) == list(found[1])
    for name in found[0]:
        assert tuple(found[0][name].shape) == tuple(found[1][name].shape)
        np.testing.assert_allclose(found[0][name].numpy(), found[1][name].numpy(), rtol=1e-4, atol=1e-5)


def test_an_ensemble_is_mapped_over_its_stacked_parameters():
    models = [network(nn) for _ in range(3)]
    params, buffers = stack_module_state(models)
    assert not buffers and all(p.requires_grad and p.is_leaf for p in params.values())
    together = vmap(lambda p, x: functional_call(models[0], p, (x,)), in_dims=(0, None))(params, gradkit.tensor(X))
    for model, y in zip(models, together):
        np.testing.assert_allclose(y.detach().numpy(), model(gradkit.tensor(X)).detach().numpy(), rtol=1e-5)


def test_every_member_of_an_ensemble_moves_its_own_running_statistics():
    members = [nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5)).double() for _ in range(2)]
    x = gradkit.tensor(X.astype(np.float64))
    params, buffers = stack_module_state(members)
    first = {name: p.detach() for name, p in params.items()}

    def loss(params, buffers, x):
        return (functional_call(members[0], (params, buffers), (x,)) ** 3).sum()

    found = vmap(grad(loss), in_dims=(0, 0, None))(first, buffers, x)
    for i, member in enumerate(members):
        (member(x) ** 3).sum().backward()
        for name, p in member.named_parameters():
            np.testing.assert_allclose(found[name][i], p.grad, atol=1e-9)
        for name, b in member.named_buffers():
            np.testing.assert_allclose(buffers[name][i], b, rtol=1e-5)


def test_the_modules_own_parameters_are_back_afterwards():
    model = network(nn)
    before = {name: id(p) for name, p in model.named_parameters()}
    params = {name: p * 0 for name, p in model.named_parameters()}
    assert functional_call(model, params, (gradkit.tensor(X),)).abs().max().item() == 0
    with pytest.raises(RuntimeError):
        functional_call(model, params, (gradkit.ones(7),))
    assert {name: id(p) for name, p in model.named_parameters()} == before


def test_what_is_not_named_stays_and_several_dictionaries_count_together():
    model = nn.Linear(3, 2)
    x = gradkit.tensor(X)
    zero = functional_call(model, {"weight": gradkit.zeros(2, 3)}, x)
    np.testing.assert_allclose(zero.detach().numpy(), np.tile(model.bias.detach().numpy(), (4, 1)))
    both = functional_call(model, ({"weight": gradkit.zeros(2, 3).array}, {"bias": gradkit.ones(2)}), (x,))
    assert both.tolist() == [[1.0, 1.0]] * 4


def test_arguments_by_keyword():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("scale", gradkit.ones(1))

        def forward(self, x, *, twice=False):
            return x * self.scale * (2 if twice else 1)

    found = functional_call(Scaled(), {"scale": gradkit.tensor([3.0])}, (gradkit.ones(1),), {"twice": True})
    assert found.tolist() == [6.0]
    assert functional_call(Scaled(), {}, kwargs={"x": gradkit.ones(1)}).tolist() == [1.0]


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2, bias=False)
        self.b = nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(x))


def test_tied_weights_are_given_once():
    model, w, x = Tied(), gradkit.tensor([[2.0, 0.0], [0.0, 3.0]]), gradkit.ones(2)
    assert functional_call(model, {"a.weight": w}, (x,)).tolist() == [4.0, 9.0]
    own = model.a.weight.detach()
    untied = functional_call(model, {"a.weight": w}, (x,), tie_weights=False)
    np.testing.assert_allclose(untied.detach().numpy(), own.numpy() @ np.array([2.0, 3.0], np.float32), rtol=1e-6)
    with pytest.raises(ValueError, match="tied"):
        functional_call(model, {"a.weight": w, "b.weight": w * 2}, (x,))
    assert functional_call(model, {"a.weight": w}, (x,), strict=True).tolist() == [4.0, 9.0]


def test_running_statistics_are_written_into_the_buffers_that_were_given():
    model = nn.BatchNorm1d(3)
    buffers = {name: b.clone() for name, b in model.named_buffers()}
    functional_call(model, buffers, (gradkit.tensor(X),))
    assert model.running_mean.tolist() == [0.0, 0.0, 0.0]
    assert buffers["running_mean"].tolist() != [0.0, 0.0, 0.0]


def test_higher_derivatives_of_a_module():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    params, x = dict(model.named_parameters()), gradkit.tensor([0.5, -0.5])
    h = hessian(lambda p: functional_call(model, p, (x,)).sum())(params)
    rows = jacrev(grad(lambda p: functional_call(model, p, (x,)).sum()))(params)
    for a in params:
        for b in params:
            assert h[a][b].shape == (*params[a].shape, *params[b].shape)
            np.testing.assert_allclose(h[a][b].detach().numpy(), rows[a][b].detach().numpy(), rtol=1e-4, atol=1e-6)


BAD = [
    (lambda m, x: functional_call(m, {"nope": x}, x), AttributeError, "weight"),
    (lambda m, x: functional_call(m, {"weight": m.weight}, x, strict=True), RuntimeError, "bias"),
    (lambda m, x: functional_call(m, {**dict(m.named_parameters()), "c": x}, x, strict=True), RuntimeError, "'c'"),
    (lambda m, x: functional_call(m, [{"weight": m.weight}, {"weight": m.weight}], x), ValueError, "multiple"),
    (lambda m, x: functional_call(m, 3, x), ValueError, "dict"),
    (lambda m, x: stack_module_state([]), RuntimeError, "at least one model"),
    (lambda m, x: stack_module_state([m, nn.Tanh()]), RuntimeError, "same class"),
    (lambda m, x: stack_module_state([m, nn.Linear(3, 2).eval()]), RuntimeError, "training"),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_use_is_explained(number):
    call, kind, words = BAD[number]
    with pytest.raises(kind, match=words):
        call(nn.Linear(3, 2), gradkit.ones(3))


def test_normalisations_without_running_statistics_can_be_mapped():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).double()
    x = gradkit.tensor(np.linspace(-1.0, 1.0, 24).reshape(3, 4, 2))
    with pytest.raises(RuntimeError, match="vmap"):
        gradkit.vmap(net)(x)
    assert gradkit.func.replace_all_batch_norm_modules_(net) is net
    assert gradkit.allclose(gradkit.vmap(net)(x), gradkit.stack([net(one) for one in x]), atol=1e-6)
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
