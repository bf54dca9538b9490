// A matrix of bits, a row being a set.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "graphopt/support/parallel.hpp"

namespace graphopt {

class BitMatrix {
  public:
    using Word = std::uint64_t;
    static constexpr std::size_t bits = 64;

    BitMatrix(std::size_t rows, std::size_t columns)
        : rows_(rows), words_((columns + bits - 1) / bits), bits_(rows * words_, 0) {}

    std::size_t rows() const noexcept { return rows_; }
    std::size_t words() const noexcept { return words_; }
    Word* row(std::size_t i) noexcept { return bits_.data() + i * words_; }
    const Word* row(std::size_t i) const noexcept { return bits_.data() + i * words_; }

    std::size_t count(std::size_t i) const noexcept {
        std::size_t n = 0;
        for (std::size_t w = 0; w < words_; ++w) {
            n += static_cast<std::size_t>(std::popcount(row(i)[w]));
        }
        return n;
    }

    // Whether row a is a subset of row b.
    bool subset(std::size_t a, std::size_t b) const noexcept {
        const Word* const small = row(a);
        const Word* const large = row(b);
        for (std::size_t w = 0; w < words_; ++w) {
            if ((small[w] & ~large[w]) != 0) return false;
        }
        return true;
    }

    // Calls body(column) for the bits of a row, in order.
    template <class Body>
    void for_each(std::size_t i, Body&& body) const {
        for (std::size_t w = 0; w < words_; ++w) {
            for (Word left = row(i)[w]; left != 0; left &= left - 1) {
                body(w * bits + static_cast<std::size_t>(std::countr_zero(left)));
            }
        }
    }

    // This matrix transposed, `columns` wide as given to the constructor.
    BitMatrix transposed(std::size_t columns, int num_threads) const {
        BitMatrix result(columns, rows_);
        parallel_ranges(words_, 1, num_threads, [&](std::size_t w, std::size_t, std::size_t, int) {
            for (std::size_t v = 0; v < result.words_; ++v) {
                turn_block(result, w, v, columns);
            }
        });
        return result;
    }

  private:
    // 64 rows of word w become word v of 64 rows.
    void turn_block(BitMatrix& result, std::size_t w, std::size_t v, std::size_t columns) const {
        Word block[bits];
        for (std::size_t i = 0; i < bits; ++i) {
            const std::size_t from = v * bits + i;
            block[i] = from < rows_ ? row(from)[w] : 0;
        }
        // Halves change places, then halves of halves (H. Warren, Hacker's Delight, section 7-3).
        Word mask = 0x00000000FFFFFFFFULL;
        for (std::size_t half = bits / 2; half != 0; half >>= 1, mask ^= mask << half) {
            for (std::size_t i = 0; i < bits; i = ((i | half) + 1) & ~half) {
                const Word change = ((block[i] >> half) ^ block[i | half]) & mask;
                block[i] ^= change << half;
                block[i | half] ^= change;
            }
        }
        for (std::size_t i = 0; i < bits && w * bits + i < columns; ++i) {
            result.row(w * bits + i)[v] = block[i];
        }
    }

    std::size_t rows_;
    std::size_t words_;
    std::vector<Word> bits_;
};

}  // namespace graphopt
