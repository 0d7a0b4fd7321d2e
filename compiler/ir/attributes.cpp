// SPDX-License-Identifier: Apache-2.0
#include "ir/attributes.h"

#include <algorithm>

namespace ingot {
namespace {

bool before(const Attributes::Entry& entry, std::string_view name) { return entry.first < name; }

}  // namespace

void Attributes::set(std::string name, Attribute value) {
  auto place = std::lower_bound(entries_.begin(), entries_.end(), name, before);
  if (place != entries_.end() && place->first == name) {
    place->second = std::move(value);
  } else {
    entries_.insert(place, {std::move(name), std::move(value)});
  }
}

const Attribute* Attributes::find(std::string_view name) const {
  auto place = std::lower_bound(entries_.begin(), entries_.end(), name, before);
  return place != entries_.end() && place->first == name ? &place->second : nullptr;
}

}  // namespace ingot
