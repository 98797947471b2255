"""Gradients by PyTorch's names: `backward`, `grad`, `Function`, modes, `functional`, `forward_ad`, `gradcheck`."""

from gradkit.autograd import forward_ad, functional, graph
from gradkit.autograd.anomaly_mode import detect_anomaly, is_anomaly_check_nan_enabled, is_anomaly_enabled, set_detect_anomaly
from gradkit.autograd.function import Function
from gradkit.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from gradkit.autograd.gradcheck import gradcheck, gradgradcheck
from gradkit.autograd.walk import backward, grad
from gradkit.engine.tensor import Tensor


def Variable(data: Tensor, requires_grad: bool = False) -> Tensor:
    """PyTorch's former way to make a tensor that may require grad: one that shares the memory of `data`.

    >>> gradkit.autograd.Variable(gradkit.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """
    return data.detach().requires_grad_(requires_grad)


__all__ = [
    "Function", "Variable", "backward", "detect_anomaly", "enable_grad", "forward_ad", "functional", "grad", "gradcheck",
    "gradgradcheck", "graph", "inference_mode", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "is_grad_enabled",
    "is_inference_mode_enabled", "no_grad", "set_detect_anomaly", "set_grad_enabled",
]
