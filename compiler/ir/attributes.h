// SPDX-License-Identifier: Apache-2.0
// The attributes of a node: few, named, typed, kept sorted so that printing is deterministic.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/expected.h"
#include "ir/dim.h"
#include "ir/dtype.h"

namespace ingot {

class Graph;

/// A graph within a node, such as what a loop repeats. Its symbols are those of the graph around
/// it, with the same ranges; it reads nothing but its inputs and its own constants.
struct Subgraph {
  std::shared_ptr<const Graph> graph;
  const Graph& operator*() const { return *graph; }
  const Graph* operator->() const { return graph.get(); }
  /// The same nodes on the same values, whatever the nodes are called.
  friend bool operator==(const Subgraph& a, const Subgraph& b);
};

using Attribute = std::variant<bool, std::int64_t, double, std::string, DType,
                               std::vector<std::int64_t>, std::vector<Dim>, Subgraph>;

/// The alternatives of Attribute, by name.
enum class AttributeType { boolean, integer, real, text, dtype, integers, dims, subgraph };

class Attributes {
 public:
  using Entry = std::pair<std::string, Attribute>;

  Attributes() = default;
  Attributes(std::initializer_list<Entry> entries) {
    for (const Entry& entry : entries) set(entry.first, entry.second);
  }

  void set(std::string name, Attribute value);
  const Attribute* find(std::string_view name) const;
  /// The attribute must exist and be a T: the verifier has checked it against the op's schema.
  template <class T>
  const T& get(std::string_view name) const {
    const Attribute* attribute = find(name);
    INGOT_CHECK(attribute != nullptr && std::holds_alternative<T>(*attribute),
                "no attribute '{}' of the asked type", name);
    return std::get<T>(*attribute);
  }
  bool flag(std::string_view name) const {
    const Attribute* attribute = find(name);
    return attribute != nullptr && std::get<bool>(*attribute);
  }

  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<Entry>& entries() { return entries_; }
  friend bool operator==(const Attributes&, const Attributes&) = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace ingot
