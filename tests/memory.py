"""How much memory arrays take during some work, on the device under test."""

import gc
import tracemalloc

import gradkit


class Memory:
    """A context; afterwards `alive` and `most` say how many bytes are left of what was made inside, and were at most."""

    def __enter__(self):
        gc.collect()
        self.there = gradkit.get_default_device().type == "cuda"
        if self.there:
            gradkit.cuda.reset_peak_memory_stats()
            self.before = gradkit.cuda.memory_allocated()
        else:
            tracemalloc.start()
        return self

    def __exit__(self, *error):
        if self.there:
            self.alive, self.most = [
                count() - self.before for count in (gradkit.cuda.memory_allocated, gradkit.cuda.max_memory_allocated)
            ]
        else:
            self.alive, self.most = tracemalloc.get_traced_memory()
            tracemalloc.stop()


def peak(run):
    with Memory() as memory:
        run()
    return memory.most
