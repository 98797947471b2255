"""Other libraries' protocols on Tensors: NumPy's, the Array API standard's, CuPy's, DLPack. Importing this attaches them."""

from gradkit.engine.tensor import Tensor
from gradkit.interop import cupy, dlpack, numpy
from gradkit.interop.dlpack import from_dlpack

__all__ = ["from_dlpack"]

for name, function in {
    "__array_ufunc__": numpy.array_ufunc, "__array_function__": numpy.array_function,
    "__array_namespace__": numpy.array_namespace, "to_device": numpy.to_device,
    "__cupy_override_elementwise_kernel__": cupy.elementwise_kernel,
    "__cuda_array_interface__": property(cupy.cuda_array_interface),
    "__dlpack__": dlpack.dlpack, "__dlpack_device__": dlpack.dlpack_device,
}.items():
    setattr(Tensor, name, function)
