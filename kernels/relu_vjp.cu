#include "relu_vjp.cuh"
#include "unary.cuh"

GRADKIT_UNARY(relu_vjp)
