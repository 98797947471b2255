"""Errors that are not raised on a device: to look at values there is to wait for it."""

import re

import pytest

import gradkit

# What PyTorch's errors say of values that do not fit.
VALUES = (
    "out of bounds|Class values must be|out of DATA bounds|out of range|ZeroDivision|can not be negative|shape mismatch: value"
    "|at least as many elements|Number of elements of source|elements of input should be between|negative entry|offsets.0. has to"
)


def skip_unasked(error):
    """Skip the rest of a test that expects an error of PyTorch's, if it is about values, of which we do not ask a device."""
    if gradkit.get_default_device().type == "cuda" and re.search(VALUES, str(error)):
        pytest.skip("a device is not asked whether values fit")
