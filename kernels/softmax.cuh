// The maximum of a row and the sum of exponentials below it, in one pass over the row (Milakov and Gimelshein 2018).
#pragma once

#include "scalar.cuh"

template <class C>
GRADKIT_EITHER C infinite() {
    return C(1) / C(0);
}

template <class C>
struct Exponentials {
    C most, sum;

    static GRADKIT_EITHER Exponentials none() { return {-infinite<C>(), C(0)}; }

    GRADKIT_EITHER void add(C x) {
        if (x > most) {
            sum = sum * exp(most - x) + 1;
            most = x;
        } else if (x != -infinite<C>()) {
            sum += exp(x - most);
        }
    }

    static GRADKIT_EITHER Exponentials merged(const Exponentials& a, const Exponentials& b) {
        const C most = a.most > b.most ? a.most : b.most;
        return {most, a.scaled(most) + b.scaled(most)};
    }

    GRADKIT_EITHER C scaled(C most_of_all) const {
        return most == most_of_all || sum == 0 ? sum : sum * exp(most - most_of_all);
    }

    // log(sum of exponentials) less the maximum, and the sum: nan where the maximum is infinite, as inf - inf is.
    GRADKIT_EITHER C total() const { return most == infinite<C>() ? most - most : sum; }
};
