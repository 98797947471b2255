"""Which form of a kernel runs on what operands, on how many blocks: numbers alone, no GPU."""

import numpy as np
import pytest

from gradkit.backend.kernels import layout

pytestmark = pytest.mark.cpu
FLAT = np.dtype([("size", "i"), ("head", "i"), ("single", "I"), ("adds", "I")])


def lies(array, offset=0):
    """An operand as a plan sees it, at an address `offset` bytes past a multiple of 16."""
    return array.shape, array.strides, offset % 16


def plan_of(inputs, outputs, total=None, adds=0, most=1056):
    shape = np.broadcast_shapes(*[place[0] for place in inputs])
    return layout.plan(shape, 4, tuple(inputs), tuple(outputs), total, adds, most)


def floats(*shape):
    return np.zeros(shape, np.float32)


def fields(plan):
    return np.frombuffer(plan.how.tobytes(), FLAT)[0]


def test_contiguous_operands_are_flat():
    x = lies(floats(30, 40))
    plan = plan_of([x, x], [x])
    assert plan.suffix == "" and plan.index == "int" and fields(plan)["size"] == 1200


def test_operands_in_one_piece_are_flat_in_any_order_of_axes():
    x = lies(floats(40, 30).T)
    assert plan_of([x, x], [x]).suffix == ""


def test_operands_misaligned_alike_have_a_head():
    x = lies(floats(100), offset=4)
    assert fields(plan_of([x, x], [x]))["head"] == 3


def test_operands_misaligned_in_different_ways_are_strided():
    assert plan_of([lies(floats(100)), lies(floats(100), offset=4)], [lies(floats(100))]).suffix == "_strided"


def test_one_element_for_all_is_flat():
    x = lies(floats(100))
    plan = plan_of([lies(floats()), x], [x])
    assert plan.suffix == "" and fields(plan)["single"] == 0b01


def test_broadcast_cotangent_of_a_sum_is_flat():
    whole = np.broadcast_to(floats(), (30, 40))
    x = lies(floats(30, 40))
    assert fields(plan_of([lies(whole), x], [x]))["single"] == 0b01


@pytest.mark.parametrize("operand", [floats(30, 40)[:, ::2], floats(1, 20), floats(20, 30).T, floats(30, 20)[::-1]])
def test_other_strides_are_strided(operand):
    x = lies(floats(30, 20))
    assert plan_of([x, lies(operand)], [x]).suffix == "_strided"


def test_more_than_two_to_the_31_elements_take_64_bit_indices():
    x = ((2**31,), (4,), 0)
    assert plan_of([x, x], [x]).index == "long long"
    far = ((2, 1000), (4 * 2**31, 4), 0)  # few elements, far apart
    near = lies(floats(2, 1000))
    assert plan_of([near, far], [near]).index == "long long"


def test_more_axes_than_a_kernel_has_are_declined():
    x = floats(*(3,) * 9)
    assert plan_of([lies(x[(slice(None, None, 2),) * 9])] * 2, [lies(floats(*(2,) * 9))]) is None


def test_sum_over_everything_is_flat_and_leaves_room_for_each_block():
    x = lies(floats(1 << 20))
    plan = plan_of([x, x, lies(floats())], [x, None], total=lies(floats()))
    assert plan.suffix == "" and plan.parts == plan.grid[0] > 1


def test_sum_over_rows_puts_kept_places_side_by_side():
    x = lies(floats(3000, 64))
    plan = plan_of([x, x, lies(floats(64))], [x, None], total=lies(floats(64)))
    tiles, chunks = plan.grid
    assert plan.suffix == "_summing" and tiles == 2 and chunks > 1 and plan.parts == 64 * chunks


def test_many_short_sums_need_no_second_round():
    x = lies(floats(100_000, 3))
    plan = plan_of([x, x, lies(floats(100_000, 1))], [x, None], total=lies(floats(100_000, 1)))
    assert plan.suffix == "_summing" and plan.grid[1] == 1


@pytest.mark.parametrize("shape", [(0,), (3, 0), ()])
def test_small_grids_for_small_operands(shape):
    x = lies(floats(*shape))
    assert plan_of([x, x], [x]).grid == (1,)


def test_grid_fills_the_device_and_no_more():
    x = ((1 << 28,), (4,), 0)
    assert plan_of([x, x], [x], most=1056).grid == (1056,)
