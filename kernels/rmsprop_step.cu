#include "rmsprop_step.cuh"
#include "tensors.cuh"

template <class T>
__global__ void __launch_bounds__(256, 2) gradkit_rmsprop_step(Tensors<5> tensors, RMSpropNumbers by) {
    each_tensor<T>(tensors, rmsprop_step<T>{by});
}
