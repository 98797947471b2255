"""Gradients by PyTorch's names: `backward`, `grad`, modes, `functional`, `forward_ad`, `gradcheck`, `graph`, `Function`."""

from gradkit.autograd import functional
from gradkit.autograd.grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from gradkit.autograd.gradcheck import gradcheck, gradgradcheck
from gradkit.autograd.walk import backward, grad

__all__ = [
    "backward", "enable_grad", "functional", "grad", "gradcheck", "gradgradcheck", "inference_mode", "is_grad_enabled",
    "no_grad", "set_grad_enabled",
]  # fmt: skip
