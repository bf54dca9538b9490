// One step of Adam (Kingma and Ba, ICLR 2015) on one parameter, in place and in one pass.
#pragma once

#include <span>

namespace graphopt {

struct AdamSettings {
    double learning_rate;
    double weight_decay;  // times the parameter, added to the gradient
    double beta1;
    double beta2;
    double epsilon;
    double step;  // from 1; an integer
};

// All spans have one length. `first` and `second` are the running means of the gradient and of its
// square, 0 before the first step. Real is float or double.
template <class Real>
void adam_step(std::span<Real> parameter, std::span<const Real> gradient, std::span<Real> first,
               std::span<Real> second, const AdamSettings& settings, int num_threads);

}  // namespace graphopt
