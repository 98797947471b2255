"""ParameterList and ParameterDict beside torch's."""

import pytest

import gradkit


def listed(library):
    made = library.nn.ParameterList([library.ones(2), library.zeros(1)])
    made.append(library.full((3,), 2.0))
    made += [7]
    made[1] = library.ones(4)
    return made


def named(library):
    made = library.nn.ParameterDict({"left": library.ones(2), "plain": 3})
    made["right"] = library.zeros(1)
    made.update([("more", library.ones(1))])
    return made


@pytest.mark.parametrize("make", [listed, named])
def test_parameters_are_found_and_saved_as_in_torch(make, torch):
    mine, theirs = make(gradkit), make(torch)
    assert len(mine) == len(theirs)
    assert [name for name, _ in mine.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    assert {key: value.tolist() for key, value in mine.state_dict().items()} == {
        key: value.tolist() for key, value in theirs.state_dict().items()
    }


def test_lists_are_read_as_lists(torch):
    for library in (gradkit, torch):
        made = listed(library)
        assert made[-1] == 7 and [p.tolist() for p in made[:2]] == [[1, 1], [1, 1, 1, 1]]
        assert isinstance(made[0], library.nn.Parameter) and len(list(made)) == 4
        for place in (4, -5):
            with pytest.raises(IndexError):
                made[place]
        with pytest.raises(TypeError):
            made.extend(3)


def test_dicts_are_read_as_dicts(torch):
    for library in (gradkit, torch):
        made = named(library)
        assert list(made) == list(made.keys()) == ["left", "plain", "right", "more"]
        assert "left" in made and made["plain"] == 3 and made.get("none", 5) == 5
        assert made.pop("plain") == 3 and "plain" not in made and len(list(made.items())) == len(list(made.values())) == 3
        del made["more"]
        assert [name for name, _ in made.named_parameters()] == ["left", "right"]
        with pytest.raises(AttributeError):
            made["none"]
        made.clear()
        assert len(made) == 0 and not list(made.parameters())
