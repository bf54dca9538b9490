#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "graphopt/support/finite.hpp"
#include "types.hpp"

using namespace graphopt;

namespace {

template <class T>
class Finite : public ::testing::Test {};
TYPED_TEST_SUITE(Finite, Reals);

// Every place of an array, short and longer than a block, from an odd address on.
TYPED_TEST(Finite, OneIsFoundWhereverItIs) {
    using T = TypeParam;
    using Limits = std::numeric_limits<T>;
    for (const std::size_t size : {1, 7, 64, 65, 40'000}) {
        std::vector<T> values(size, Limits::max());
        values[size / 2] = -Limits::denorm_min();
        values[size / 3] = -Limits::max();
        const std::span<const T> all(values);
        EXPECT_TRUE(all_finite(all));
        EXPECT_TRUE(all_finite(all.subspan(1)));
        EXPECT_TRUE(all_finite(all.first(0)));
        for (std::size_t i = 0; i < size; i += size > 100 ? 37 : 1) {
            const T kept = values[i];
            for (const T bad : {Limits::quiet_NaN(), -Limits::signaling_NaN(), Limits::infinity(),
                                -Limits::infinity()}) {
                values[i] = bad;
                EXPECT_FALSE(all_finite(all));
                EXPECT_TRUE(all_finite(all.first(i)));
                EXPECT_TRUE(all_finite(all.subspan(i + 1)));
            }
            values[i] = kept;
        }
    }
}

}  // namespace
