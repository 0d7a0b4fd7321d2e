// SPDX-License-Identifier: Apache-2.0
// Code for a heap of keys and their places, the last in order at its root: what has been the first
// so and so many of a long row so far. A greater key comes first, of equal ones the lower place.
#pragma once

#include "target/emitter.h"

namespace ingot::target {

class Heap {
 public:
  /// `size` entries in memory, at least 1: signed integers of type `key`, and i64.
  Heap(Emitter& emitter, llvm::Type* key, llvm::Value* keys, llvm::Value* places,
       llvm::Value* size);

  /// Puts any entries in order.
  void build();
  /// The key that another must exceed, if it stands behind all places in the heap, to come in.
  llvm::Value* last_key();
  /// Replaces the root.
  void replace(llvm::Value* key, llvm::Value* place);
  /// Turns the heap into a list, the first in order in front.
  void sort();

 private:
  struct Entry {
    llvm::Value* key;
    llvm::Value* place;
  };
  Entry read(llvm::Value* number);
  void write(llvm::Value* number, const Entry& entry);
  /// Puts an entry where `hole` is or below, in a heap of `size` entries.
  void sift(llvm::Value* hole, llvm::Value* size, const Entry& entry);
  /// The function that does so.
  llvm::Function* sifter();

  Emitter& e_;
  llvm::Type* key_;
  llvm::Value* keys_;
  llvm::Value* places_;
  llvm::Value* size_;
};

}  // namespace ingot::target
