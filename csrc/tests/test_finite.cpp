#include <limits>
#include <vector>

#include "check.hpp"
#include "graphopt/support/finite.hpp"

using namespace graphopt;

namespace {

// Every place of an array, short and longer than a block, from an odd address on.
template <class T>
void one_is_found_wherever_it_is() {
    using Limits = std::numeric_limits<T>;
    for (const std::size_t size : {1, 7, 64, 65, 40'000}) {
        std::vector<T> values(size, Limits::max());
        values[size / 2] = -Limits::denorm_min();
        values[size / 3] = -Limits::max();
        const std::span<const T> all(values);
        CHECK(all_finite(all) && all_finite(all.subspan(1)) && all_finite(all.first(0)));
        for (std::size_t i = 0; i < size; i += size > 100 ? 37 : 1) {
            const T kept = values[i];
            for (const T bad : {Limits::quiet_NaN(), -Limits::signaling_NaN(), Limits::infinity(),
                                -Limits::infinity()}) {
                values[i] = bad;
                CHECK(!all_finite(all));
                CHECK(all_finite(all.first(i)) && all_finite(all.subspan(i + 1)));
            }
            values[i] = kept;
        }
    }
}

}  // namespace

int main() {
    one_is_found_wherever_it_is<float>();
    one_is_found_wherever_it_is<double>();
}
