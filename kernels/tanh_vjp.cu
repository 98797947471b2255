#include "tanh_vjp.cuh"
#include "unary.cuh"

GRADKIT_UNARY(tanh_vjp)
