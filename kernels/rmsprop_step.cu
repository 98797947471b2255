#include "rmsprop_step.cuh"
#include "tensors.cuh"

GRADKIT_STEP(rmsprop_step, 5, RMSpropNumbers)
