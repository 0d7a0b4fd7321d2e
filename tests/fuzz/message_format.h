// SPDX-License-Identifier: Apache-2.0
// What a target that reads protobuf messages says of them; message_format.cpp makes libFuzzer's
// hooks of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "message_mutator.h"

namespace ingot::fuzz {

struct MessageFormat {
  const char* schema = nullptr;  // one of those that CMakeLists.txt makes descriptors of
  const char* root = nullptr;
  MessageMutator::Words words;
  /// If not null: the message with what would end an import before it begins mended; empty where
  /// these bytes are none.
  std::string (*mended)(const std::uint8_t* data, std::size_t size, unsigned seed) = nullptr;
};

/// Of the target that the program is made of.
MessageFormat message_format();

}  // namespace ingot::fuzz
