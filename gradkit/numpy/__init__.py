"""The array namespace over Tensors: the functions of NumPy and of the Array API standard, with their semantics.

`gradkit.numpy.f` takes and means what `numpy.f` does, dtypes and promotion included (int32 + float32 is float64; Python
numbers are weak), and answers in Tensors, through which gradients flow. ``numpy.f(tensor)`` comes here too. Functions and
methods of `gradkit` itself mean what PyTorch says.
"""

from gradkit.numpy import fft, linalg, standard
from gradkit.numpy.creation import *
from gradkit.numpy.elementwise import *
from gradkit.numpy.joining import *
from gradkit.numpy.manipulation import *
from gradkit.numpy.numeric import *
from gradkit.numpy.products import *
from gradkit.numpy.reduction import *
from gradkit.numpy.searching import *
from gradkit.numpy.statistics import *
