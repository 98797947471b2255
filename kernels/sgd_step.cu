#include "sgd_step.cuh"
#include "tensors.cuh"

GRADKIT_STEP(sgd_step, 3, SgdNumbers)
