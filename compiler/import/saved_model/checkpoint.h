// SPDX-License-Identifier: Apache-2.0
// TensorFlow's checkpoints (V2, "tensor bundles"): PREFIX.index says where in the files
// PREFIX.data-NNNNN-of-MMMMM each tensor lies. Tensors are read when they are asked for, each into
// memory of its own and nothing besides, so that a big model is in memory once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "import/saved_model/bundle.pb.h"
#include "ir/tensor.h"

namespace ingot::tensorflow {

class Checkpoint {
 public:
  /// Reads PREFIX.index. `on_read` is told the path of each file that is read.
  static Expected<Checkpoint> open(const std::string& prefix,
                                   std::function<void(const std::string&)> on_read = {});
  /// The same for an index that is in memory already.
  static Expected<Checkpoint> read(std::span<const std::byte> index, const std::string& prefix);

  /// Type and shape of a tensor; null if there is none of this name.
  const BundleEntry* find(std::string_view key) const;
  /// Names that may have been meant, for messages: `'a', 'b'`; "none" if there are no tensors.
  std::string nearest(std::string_view key) const;

  /// Errors: invalid_model where index and files do not fit each other or checksums fail;
  /// unsupported for element types that are not ours.
  Expected<Tensor> tensor(const std::string& key);
  /// A part of a tensor, whether it is stored in parts or not.
  Expected<Tensor> part(const std::string& key, const TensorSlice& slice);
  /// A tensor of strings.
  Expected<std::vector<std::string>> strings(const std::string& key);

 private:
  std::string path_of(int shard) const;
  /// The file that an entry is in, once it is known to reach far enough.
  Expected<const PartFile*> file_of(const std::string& key, const BundleEntry& entry);
  Expected<void> read_bytes(const std::string& key, const BundleEntry& entry,
                            std::span<std::byte> to);
  Expected<Tensor> assemble(const std::string& key, const BundleEntry& entry);

  std::string prefix_;
  std::function<void(const std::string&)> on_read_;
  int shards_ = 0;
  std::map<std::string, BundleEntry, std::less<>> entries_;
  std::map<int, PartFile> files_;
};

/// Under which key a part of a tensor is stored.
std::string slice_key(std::string_view name, const TensorSlice& slice);

/// What a tensor of `count` strings is on disk: lengths, their checksum, then the bytes of all.
Expected<std::vector<std::string>> decode_strings(std::span<const std::byte> stored,
                                                  std::uint64_t count, std::uint32_t checksum);

}  // namespace ingot::tensorflow
