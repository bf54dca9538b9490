// From bit planes to rows of numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bit_search.hpp"

namespace graphopt {

// Bit s of planes[p][v] is bit p of the distance from source s to node v; bit s of seen[v] tells
// whether there is one. Writes rows[s][v] for v in [begin, end), the type's maximum where there is
// none.
// Preconditions: at most 8 (16) planes, 512 rows; a distance that was found is below the maximum.
void write_distances(std::span<const SourceBits* const> planes, const SourceBits* seen,
                     std::span<std::uint8_t* const> rows, std::size_t begin, std::size_t end);
void write_distances(std::span<const SourceBits* const> planes, const SourceBits* seen,
                     std::span<std::uint16_t* const> rows, std::size_t begin, std::size_t end);

}  // namespace graphopt
