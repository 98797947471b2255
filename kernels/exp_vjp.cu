#include "exp_vjp.cuh"
#include "unary.cuh"

GRADKIT_UNARY(exp_vjp)
