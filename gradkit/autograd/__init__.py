"""Gradients by PyTorch's names: `backward`, `grad`, `Function`, modes, `functional`, `forward_ad`, `gradcheck`."""

from gradkit.autograd import forward_ad, functional, graph
from gradkit.autograd.anomaly_mode import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
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

__all__ = [
    "Function", "backward", "detect_anomaly", "enable_grad", "forward_ad", "functional", "grad", "gradcheck",
    "gradgradcheck", "graph", "inference_mode", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "is_grad_enabled",
    "is_inference_mode_enabled", "no_grad", "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip
