#include "adam_step.cuh"
#include "tensors.cuh"

GRADKIT_STEP(adam_step, 5, AdamNumbers)
