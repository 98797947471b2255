#include "adagrad_step.cuh"
#include "tensors.cuh"

template <class T>
__global__ void __launch_bounds__(256, 2) gradkit_adagrad_step(Tensors<3> tensors, AdagradNumbers by) {
    each_tensor<T>(tensors, adagrad_step<T>{by});
}
