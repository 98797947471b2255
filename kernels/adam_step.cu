#include "adam_step.cuh"
#include "tensors.cuh"

template <class T>
__global__ void __launch_bounds__(256, 2) gradkit_adam_step(Tensors<5> tensors, AdamNumbers by) {
    each_tensor<T>(tensors, adam_step<T>{by});
}
