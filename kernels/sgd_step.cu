#include "sgd_step.cuh"
#include "tensors.cuh"

template <class T>
__global__ void __launch_bounds__(256, 2) gradkit_sgd_step(Tensors<3> tensors, SgdNumbers by) {
    each_tensor<T>(tensors, sgd_step<T>{by});
}
