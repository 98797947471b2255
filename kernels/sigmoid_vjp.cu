#include "sigmoid_vjp.cuh"
#include "unary.cuh"

GRADKIT_UNARY(sigmoid_vjp)
