#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "graphopt/nn/adam.hpp"
#include "nn/draw.hpp"

using namespace graphopt;

namespace {

TEST(Adam, TheFirstStepIsAsLongAsTheLearningRate) {
    for (const std::size_t n : {0U, 1U, 17U, 40000U}) {
        auto parameter = draw<float>(n, 1);
        const auto before = parameter, gradient = draw<float>(n, 2);
        std::vector<float> first(n), second(n);
        adam_step<float>(parameter, gradient, first, second,
                         AdamSettings{0.1, 0.0, 0.9, 0.999, 1e-8, 1}, 2);
        for (std::size_t i = 0; i < n; ++i) {
            // The first step has the length of the learning rate, against the gradient.
            const float moved = parameter[i] - before[i];
            EXPECT_TRUE(std::abs(std::abs(moved) - 0.1F) < 1e-3F || std::abs(gradient[i]) < 1e-5F);
            EXPECT_LE(moved * gradient[i], 0.0F);
        }
    }
}

}  // namespace
