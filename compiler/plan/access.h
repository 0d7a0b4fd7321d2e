// SPDX-License-Identifier: Apache-2.0
// Where the elements of a value are to be found, and what nodes that only move elements make of
// that: most moves cost nothing, because their result is the operand read at other strides.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace ingot::plan {

struct Access {
  enum class Kind : std::uint8_t {
    computed,  // by a group; in memory when `stored`
    memory,    // strided elements of `root`'s storage
    constant,  // one number
    affine,    // an integer: offset + sum of strides * coordinates
    dim,       // one size
  };
  Kind kind = Kind::computed;
  ValueId root;              // memory: a value that has storage
  Dim offset;                // in elements; affine: the number; dim: the size
  std::vector<Dim> strides;  // one per axis of the value
  bool dense = true;         // the strides are those of a dense tensor of its shape
};

/// Whether strides are those of a dense tensor of the shape, where they matter.
bool is_dense(const Shape& shape, const std::vector<Dim>& strides);

/// Storage of its own, dense.
Access memory_access(const Graph& graph, ValueId id);

/// A number where all elements are one, memory otherwise.
Access constant_access(const Graph& graph, ValueId id);

/// Of a source that needs no memory; none for one that has to be written out.
std::optional<Access> source_access(const Graph& graph, const Node& node);

/// The result of a move other than a concatenation, as a view of its operand; none for a reshape
/// that strides cannot express.
std::optional<Access> moved(const Graph& graph, const Node& node, Access from);

}  // namespace ingot::plan
