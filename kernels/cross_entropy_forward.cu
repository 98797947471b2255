#include "row_softmax.cuh"
#include "summing.cuh"

// The loss of each row: 0 where the target is to be ignored, nan where there is no such class. With `parts`, their sum
// instead, or, with `mean`, that over the number of rows which count.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_cross_entropy_forward(const T* x, const long long* target, T* loss, Rows rows, long long ignored, int mean,
                                  Computed<T>* parts, unsigned* tickets) {
    using C = Computed<T>;
    C total = 0, count = 0;
    each_row(rows, [&](long long row, const Rows& one) {
        const T* const from = x + row * rows.length;
        const Exponentials<C> all = exponentials(from, one);
        if (one.length == 0 || threadIdx.x % rows.width) return;
        const long long t = target[row];
        C mine = 0;
        if (t != ignored) {
            const bool exists = 0 <= t && t < rows.length;
            mine = exists ? all.most - widen(from[t]) + log(all.total()) : infinite<C>() - infinite<C>();
            count += 1;
        }
        total += mine;
        if (!parts) loss[row] = narrow<T>(mine);
    });
    if (!parts) return;
    const int thread = threadIdx.x;
    const Chunk<int> chunk = {0, 1, blockIdx.x, gridDim.x, thread, 1};
    total = over_rows(total, thread, 1);
    count = over_rows(count, thread, 1);
    if (chunk.count > 1) {
        leave(total, parts, chunk);
        leave(count, parts + chunk.count, chunk);
        if (!is_last(tickets, chunk.count)) return;
        total = gathered<C, int>(parts, chunk);
        count = gathered<C, int>(parts + chunk.count, chunk);
    }
    if (chunk.writes()) *loss = narrow<T>(mean ? total / count : total);
}
