"""The array namespace over Tensors: the functions of NumPy and of the Array API standard, with their semantics."""

from gradkit.numpy import standard
from gradkit.numpy.elementwise import *
