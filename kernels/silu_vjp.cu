#include "silu_vjp.cuh"
#include "unary.cuh"

GRADKIT_UNARY(silu_vjp)
