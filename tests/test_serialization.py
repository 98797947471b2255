"""save and load: to and fro, with torch as the other side, and what a file may not do."""

import collections
import io
import pickle
import zipfile

import numpy as np
import pytest

import gradkit
from gradkit import nn, optim


def stored(obj, **options):
    file = io.BytesIO()
    gradkit.save(obj, file, **options)
    file.seek(0)
    return file


def again(obj, **options):
    return gradkit.load(stored(obj), **options)


DTYPES = [
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
    "complex64", "complex128",
]  # fmt: skip


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_goes_to_and_fro(name, torch):
    x = gradkit.tensor([[0, 1, 1], [1, 0, 3]]).to(getattr(gradkit, name))
    for saved in (x, x.t(), x[:, ::2], x[0, 0], x[:0]):
        found = again(saved)
        assert found.dtype == saved.dtype and found.shape == saved.shape and gradkit.equal(found, saved)
        theirs = torch.load(stored(saved), "cpu", weights_only=True)
        assert str(theirs.dtype) == f"torch.{name}" and theirs.tolist() == saved.tolist()
        file = io.BytesIO()
        torch.save(theirs, file)
        file.seek(0)
        back = gradkit.load(file, saved.device)
        assert back.dtype == saved.dtype and back.stride() == theirs.stride() and gradkit.equal(back, saved)


def test_state_dicts_are_exchanged_with_torch(torch):
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    optimizer = optim.Adam(net.parameters(), lr=0.5)
    net(gradkit.randn(5, 3)).sum().backward()
    optimizer.step()
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    theirs.load_state_dict(torch.load(stored(net.state_dict()), "cpu", weights_only=True))
    other = torch.optim.Adam(theirs.parameters())
    other.load_state_dict(torch.load(stored(optimizer.state_dict()), "cpu", weights_only=True))
    assert other.param_groups[0]["lr"] == 0.5
    file = io.BytesIO()
    torch.save({"net": theirs.state_dict(), "optimizer": other.state_dict()}, file)
    file.seek(0)
    found = gradkit.load(file, gradkit.get_default_device())
    assert isinstance(found["net"], collections.OrderedDict)
    for key, value in net.state_dict().items():
        assert gradkit.equal(found["net"][key], value)
    optim.Adam(net.parameters()).load_state_dict(found["optimizer"])


def test_containers_and_what_stands_beside_tensors(torch):
    obj = {
        "nested": [1, (2.5, None, "text", True), {"deep": gradkit.ones(2)}], 3: {1, 2}, "big": 10**30, "bytes": b"ab",
        "z": 1 + 2j, "dtype": gradkit.float16, "size": gradkit.Size([2, 3]), "device": gradkit.device("cpu"),
        "count": collections.Counter("aab"), "array": bytearray(b"xy"),
    }  # fmt: skip
    found = again(obj)
    assert gradkit.equal(found["nested"].pop().pop("deep"), obj["nested"].pop().pop("deep"))
    assert found == obj
    assert isinstance(found["size"], gradkit.Size)
    assert torch.load(stored(obj["nested"] + [obj["count"], obj[3]]), weights_only=True)[-1] == {1, 2}


def test_parameters_and_leaves_stay_so():
    parameter = again(nn.Parameter(gradkit.ones(2)))
    assert isinstance(parameter, nn.Parameter) and parameter.requires_grad and parameter.is_leaf
    assert again(gradkit.ones(2, requires_grad=True)).requires_grad
    assert not again(nn.Parameter(gradkit.ones(2), requires_grad=False)).requires_grad


def test_shared_memory_is_shared_again():
    base = gradkit.arange(6.0)
    found = again({"base": base, "part": base[2:4], "turned": base.view(2, 3).t(), "same": base})
    assert found["same"] is found["base"]
    found["part"].fill_(9)
    assert found["base"].tolist() == [0, 1, 9, 9, 4, 5]
    assert found["turned"].tolist() == [[0, 9], [1, 4], [9, 5]]
    assert not gradkit.equal(base, found["base"])


def test_negative_strides_and_other_dtypes_of_one_memory_are_copied():
    z = gradkit.tensor([1 + 2j, 3 + 4j])
    reversed_ = gradkit.as_tensor(np.arange(3.0)[::-1])
    found = again({"z": z, "parts": gradkit.view_as_real(z), "reversed": reversed_})
    assert gradkit.equal(found["parts"], gradkit.view_as_real(z)) and gradkit.equal(found["z"], z)
    assert found["reversed"].tolist() == [2, 1, 0]


def test_a_path_and_a_file(tmp_path):
    path = tmp_path / "net.pt"
    gradkit.save(gradkit.ones(2), path)
    assert gradkit.load(str(path)).tolist() == [1, 1]
    with open(path, "rb") as file:
        assert gradkit.load(file).tolist() == [1, 1]
    with pytest.raises(FileNotFoundError):
        gradkit.load(tmp_path / "none.pt")


def test_modules_load_only_when_the_file_is_trusted():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    file = stored(net)
    with pytest.raises(pickle.UnpicklingError, match=r"gradkit\.nn\.\S+Sequential.*weights_only=False"):
        gradkit.load(file)
    file.seek(0)
    found = gradkit.load(file, weights_only=False)
    x = gradkit.randn(3, 2)
    assert gradkit.equal(found(x), net(x))


class Evil:
    def __reduce__(self):
        return eval, ("1 / 0",)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_cannot_call_what_it_likes(protocol):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps([Evil()], protocol))
    with pytest.raises(pickle.UnpicklingError, match=r"builtins\.eval"):
        gradkit.load(file)
    with pytest.raises(ZeroDivisionError):
        gradkit.load(file, weights_only=False)


def test_a_tensor_cannot_reach_beyond_its_storage():
    file = stored(gradkit.ones(3))
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["archive/data/0"] = members["archive/data/0"][:8]
    short = io.BytesIO()
    with zipfile.ZipFile(short, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(pickle.UnpicklingError, match="outside its storage of 2"):
        gradkit.load(short)


def test_what_is_allowed_may_be_loaded():
    file = stored(range(3))
    with gradkit.serialization.safe_globals([range]):
        assert gradkit.load(file) == range(3)
    assert gradkit.serialization.get_safe_globals() == []
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="add_safe_globals"):
        gradkit.load(file)


def test_map_location(torch):
    asked = []

    def to_cpu(storage, location):
        asked.append((storage.tolist(), location))
        return storage

    assert again(gradkit.ones(2), map_location=to_cpu).tolist() == [1, 1]
    assert asked == [([1, 1], str(gradkit.ones(2).device))]
    for location in ("cpu", gradkit.device("cpu"), {asked[0][1]: "cpu"}, to_cpu):
        assert again(gradkit.ones(2), map_location=location).device.type == "cpu"
    assert again(gradkit.ones(2), map_location=lambda storage, location: None).device == gradkit.ones(2).device
    with pytest.raises(RuntimeError, match="Expected one of"):
        again(gradkit.ones(2), map_location="mars")


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps(1)])
def test_another_format_raises(content):
    with pytest.raises(RuntimeError, match="no archive"):
        gradkit.load(io.BytesIO(content))
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme", "")
    with pytest.raises(RuntimeError, match=r"no data\.pkl"):
        gradkit.load(other)


def test_misuse_raises():
    with pytest.raises(AttributeError, match="write"):
        gradkit.save("out.pt", gradkit.ones(2))
    with pytest.raises(RuntimeError, match="inside vmap"):
        gradkit.vmap(lambda x: gradkit.save(x, io.BytesIO()))(gradkit.ones(2))
