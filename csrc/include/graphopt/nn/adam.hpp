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
// square, 0 before the first step.
void adam_step(std::span<float> parameter, std::span<const float> gradient, std::span<float> first,
               std::span<float> second, const AdamSettings& settings, int num_threads);
void adam_step(std::span<double> parameter, std::span<const double> gradient,
               std::span<double> first, std::span<double> second, const AdamSettings& settings,
               int num_threads);

}  // namespace graphopt
