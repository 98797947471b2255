#include "adagrad_step.cuh"
#include "tensors.cuh"

GRADKIT_STEP(adagrad_step, 3, AdagradNumbers)
