// SPDX-License-Identifier: Apache-2.0
// Changes texts by lines and words, so that more of them still parse than of changed bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ingot::fuzz {

/// As LLVMFuzzerCustomMutator: lines come, go and change places, a word becomes another word of its
/// kind from elsewhere in the text; half of the time bytes change, with the words of the
/// dictionary.
std::size_t mutate_text(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);

}  // namespace ingot::fuzz
