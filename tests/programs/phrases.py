"""Sentences that a program may say, with holes: ``{x}`` and ``{y}`` for values, ``{new}`` for the name of a result.

``{w}`` is a value that may be written, ``{p}`` one that is positive, ``{u}`` one between -1 and 1, ``{dim}`` an axis,
``{n}`` a small integer, ``{c}`` a number, ``{m34}`` and the like a value put into that shape. What PyTorch does not
accept of a drawn sentence (an axis that is not there, shapes that do not fit) is not said.
"""

VIEWS = """\
{x}[{n}]
{x}[..., {n}:]
{x}[{n}:]
{x}[::2]
{x}[..., ::2]
{x}[..., None]
{x}[None]
{x}[..., {n}]
{x}.transpose({dim}, {dim})
{x}.movedim({dim}, {dim})
{x}.mT
{x}.reshape(-1)
{x}.flatten()
{x}.view(-1)
{x}.unsqueeze({dim})
{x}.squeeze()
{x}.squeeze({dim})
{x}.expand(2, *{x}.shape)
{x}.broadcast_to((2, *{x}.shape))
{x}.diagonal({n}, {dim}, {dim})
{x}.narrow({dim}, 0, 1)
{x}.select({dim}, {n})
{x}.unbind({dim})[{n}]
{x}.chunk(2, {dim})[-1]
{x}.split(1, {dim})[0]
{x}.tensor_split(2, {dim})[{n}]
{x}.permute(*range({x}.ndim)[::-1])
{x}.unfold({dim}, 2, 1)
{x}.unflatten({dim}, (-1, 2))
{x}.view_as({y})
lib.real({x})
lib.imag({x})
lib.view_as_real({x})
lib.conj_physical({x})
{x}.detach()
{x}.swapaxes({dim}, {dim})""".splitlines()

#: Operations of more than one or two tensors alone: those the packages share are found by walking them.
CALLS = """\
{x} + {y}
{x} - {y}
{x} * {y}
{x} / ({p} + 0.1)
{x} ** 2
{x} ** 3
{p} ** {c}
{p} ** {u}
{c} - {x}
{c} / {p}
2 ** {u}
-{x} * {c}
{x} + {n}
{x} * {x}
{m34} @ {m43}
{m34} @ {v4}
{v3} @ {m34}
{x} @ {y}
{x}.sum({dim})
{x}.sum({dim}, keepdim=True)
{x}.sum((0, -1))
{x}.mean({dim}, keepdim=True)
{x}.prod({dim})
{x}.std({dim}, keepdim=True)
{x}.var({dim}, unbiased=False)
{x}.norm(dim={dim})
{x}.amax({dim})
{x}.amin({dim}, keepdim=True)
{x}.max({dim}).values
{x}.median({dim}).values
{x}.sort({dim}, descending=True).values
{x}.topk(2, {dim}).values
{x}.kthvalue(1, {dim}).values
{x}.cumsum({dim})
{x}.cumprod({dim})
{x}.cummax({dim}).values
{x}.logsumexp({dim})
{x}.logcumsumexp({dim})
{x}.flip({dim})
{x}.roll({n}, {dim})
{x}.tril({n})
{x}.diff(dim={dim})
{x}.clamp({c}, 1.5)
{x}.clamp(min={y})
{x}.masked_fill({y} > {c}, {c})
{x}.repeat(2, *[1] * {x}.ndim)
{x}.repeat_interleave(2, {dim})
{x}.gather({dim}, {y}.argsort({dim}))
{x}.index_select({dim}, lib.tensor([0, {n}, 0]))
{x}.take_along_dim({x}.argsort(-1), -1)
{x}.index_add({dim}, lib.tensor([0, 0]), {x}.narrow({dim}, 0, 2) * {c})
{x}[[0, {n}]]
{x}[..., [0, {n}, 0]]
{x}[{x} > {c}]
{x}.softmax({dim})
{x}.log_softmax({dim})
{x}.float().double()
{x}.double() * {y}
{x}.nan_to_num()
{x}.lerp({y}, 0.3)
{x}.addcmul({y}, {x}, value={c})
{x}.addcdiv({y}, {p}, value={c})
lib.where({x} > {c}, {x}, {y})
lib.where({x} > 0, lib.sqrt({x}.abs() + 0.1), {c})
lib.cat([{x}, {x}], {dim})
lib.cat([{x}, {y}], {dim})
lib.stack([{x}, {c} * {x}], {dim})
lib.einsum('ij,jk->ki', {m34}, {m43})
lib.einsum('...i,...i->...', {x} * {y}, {x} - {y})
lib.einsum('ij,kj,k->i', {m34}, {m34}, {v3})
lib.tensordot({x}, {y}, 1)
lib.complex({x}.real, {y}.real)
lib.polar({p}, {y})
lib.clamp({x}, min=-1, max={c})
lib.addmm({x}, {m33}, {m33})
lib.cdist({m34}, {m24})
lib.linalg.norm({x})
lib.linalg.vector_norm({x}, {n} + 1, dim={dim})
lib.linalg.matrix_norm({m34})
lib.linalg.det({m33})
lib.linalg.inv({spd})
lib.linalg.solve({spd}, {v3})
lib.linalg.cholesky({spd})
lib.linalg.eigvalsh({spd})
lib.linalg.matrix_power({m33}, {n})
lib.linalg.svdvals({m34})
lib.linalg.slogdet({spd})[1]
lib.outer({v3}, {v4})
lib.kron({m24}, {v3})
lib.cross({v3}, {m33}[0], 0)
lib.trapezoid({x}, dim={dim})
lib.nn.functional.linear({m24}, {m34}, {v3})
lib.nn.functional.layer_norm({m34}, (4,), {v4}, {v4})
lib.nn.functional.group_norm({t243}, 2)
lib.nn.functional.batch_norm({m34}, None, None, {v4}, {v4}, True)
lib.nn.functional.conv1d({t243}, {t342}, {v3}, padding=1)
lib.nn.functional.avg_pool1d({t243}, 2)
lib.nn.functional.max_pool1d({t243}, 2)
lib.nn.functional.pad({x}, (1, {n}))
lib.nn.functional.gelu({x})
lib.nn.functional.softplus({x}, 2)
lib.nn.functional.elu({x}, {c})
lib.nn.functional.normalize({x}, dim={dim})
lib.nn.functional.mse_loss({m34}, {m34} * {c})
lib.nn.functional.huber_loss({x}, {y})
lib.nn.functional.smooth_l1_loss({x}, {y}, beta=0.7)
lib.nn.functional.kl_div({x}, {p}, reduction='sum')
lib.nn.functional.cross_entropy({m34}, lib.tensor([0, 3, {n}]))
lib.nn.functional.cross_entropy({m34}, {m34}.softmax(1))
lib.nn.functional.nll_loss({m34}, lib.tensor([0, {n}, 1]))
lib.nn.functional.embedding(lib.tensor([0, {n}, 0]), {m34})
lib.nn.functional.scaled_dot_product_attention({t243}, {t243}, {t243})""".splitlines()

WRITES = """\
{w}.add_({y})
{w}.add_({y}, alpha={c})
{w}.sub_({c})
{w}.mul_({y})
{w}.mul_({c})
{w}.div_({p})
{w}.copy_({y})
{w}.zero_()
{w}.fill_({c})
{w}.tanh_()
{w}.sigmoid_()
{w}.exp_()
{w}.relu_()
{w}.clamp_(-1, 1)
{w}.masked_fill_({w}.detach() > {c}, {c})
{w}.addcmul_({y}, {y}, value={c})
{w}.lerp_({y}, 0.3)
{w}.neg_()
{w} *= {c}
{w} -= {y}
{w}[{n}] = {y}
{w}[..., {n}] = {c}
{w}[..., {n}:] = {y}
{w}[::2] *= {c}
{w}[[1, 0]] = {y}
{w}[{w}.detach() > {c}] = {c}
{w}[{n}].mul_({c})
{w}.mT.add_({y})
{w}.reshape(-1)[{n}:].mul_({c})
{w}.diagonal(0, 0, -1).add_({c})
{w}.index_add_({dim}, lib.tensor([0]), {w}.narrow({dim}, 0, 1) * {c})
{w}.transpose({dim}, {dim}).copy_({y})
with lib.no_grad():|    {w}.mul_({c})
with lib.no_grad():|    {w}[{n}] = {y}""".splitlines()

BLOCKS = """\
{new} = {x}|for k in range({x}.shape[-1]):|    {new} = {new} * {c} + lib.sin({x}[..., k : k + 1])
{new} = {x}|for piece in {x}.unbind({dim}):|    {new} = {new} + piece.sum() * {c}
{new} = {x}|for _ in range(3):|    {new} = lib.tanh({new} * {y} + {c})
if {x}.ndim > 1:|    {new} = {x}.sum(0) * {y}|else:|    {new} = {x} * {c}
if float(lib.real({x}.detach()).sum()) > {c}:|    {new} = {x} * {y}|else:|    {new} = {x} - {y}
{new} = {x}|while float({new}.detach().abs().sum()) > 2:|    {new} = {new} * 0.4
with lib.no_grad():|    {new} = lib.tanh({x})
with lib.no_grad():|    {new} = {x}.detach().clone()|{new} = {new} * {y}
with lib.no_grad():|    with lib.enable_grad():|        {new} = {x} * {y}
{new} = {x}.detach() * {y}
{new} = lib.zeros_like({x})|{new}[{n}] = {x}[{n}] * {c}
{new} = lib.func.grad(lambda t: (lib.sin(t) * {y}).sum())({x})
{new} = lib.func.grad(lambda t: (t ** 3 * {x}).sum())({y})
{new} = lib.func.grad(lambda t: lib.func.grad(lambda s: (lib.sin(s * t) * {y}).sum())(t).sum())({x})
{new} = lib.func.jvp(lambda t: lib.sin(t) * {y}, ({x},), (lib.cos({x}),))[1]
{new} = lib.func.jvp(lambda t: t * lib.func.grad(lambda s: (s * s * t).sum())({x}), ({x},), (lib.ones_like({x}),))[1]
{new} = lib.func.vjp(lambda t: lib.exp(-t * t) * {x}, {x})[1](lib.cos({x}))[0]
{new} = lib.func.vmap(lambda t: lib.tanh(t) * {y}.sum())({x})
{new} = lib.func.vmap(lambda t: t * {y}, out_dims={n})({x})
{new} = lib.func.vmap(lib.func.grad(lambda t: (lib.sin(t) * {y}).sum()))({x})
{new} = lib.func.jacrev(lambda t: lib.sin(t) * {v3})({v3})
{new} = lib.func.jacfwd(lambda t: lib.sin(t).sum() * {v4})({v3})
{new} = lib.func.hessian(lambda t: (lib.sin(t) * t).sum() * {x}.sum())({v3})
{new}, = lib.autograd.grad(({x} ** 2 * {y}).sum(), [{x}], create_graph=True)
{new}, = lib.autograd.grad(lib.sin({x}).sum(), [{x}], retain_graph=True)|{new} = {new} * {x}
{new}, {new2} = lib.std_mean({x})
w, q = lib.linalg.eigh({spd})|{new} = (q * lib.sin(w)) @ q.mT.conj()
q, r = lib.linalg.qr({spd})|{new} = q @ lib.tanh(r)
u, s, v = lib.linalg.svd({m34}, full_matrices=False)|{new} = (u * s ** 3) @ v
{new}, {new2} = {x}.aminmax(dim={dim})
{new} = {x}.clone()|{new2} = {new}[{n}:]|{new2}.mul_({c})
{new} = {x}.clone()|{new2} = {new}.reshape(-1)|{new} *= {y}""".splitlines()
