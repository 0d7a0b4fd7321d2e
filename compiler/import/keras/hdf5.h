// SPDX-License-Identifier: Apache-2.0
// HDF5 files in memory, as far as Keras writes them: groups, attributes of text, datasets of
// numbers. Read through HDF5's own library, which a build may lack: then opening says so.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "ir/tensor.h"

namespace ingot::keras {

/// Where variables are read from.
class VariableFile {
 public:
  virtual ~VariableFile() = default;
  /// Whether a path such as `layers/dense/vars` leads to a group or dataset.
  virtual bool has(const std::string& path) const = 0;
  /// A list of texts beside a group; none where it is not there.
  virtual Expected<std::optional<std::vector<std::string>>> texts(
      const std::string& group, const std::string& attribute) const = 0;
  /// Errors: invalid_model where it is missing or damaged, unsupported for types without numbers.
  virtual Expected<Tensor> tensor(const std::string& path) const = 0;
};

/// A file that is open. Thread-safe among objects of this class; the library itself is not, so a
/// program that uses HDF5 in other threads at the same time needs a build of it that is.
class Hdf5 : public VariableFile {
 public:
  /// The bytes must outlive the object. `name` is for messages. Errors: invalid_model.
  static Expected<Hdf5> open(std::span<const std::byte> bytes, const std::string& name);
  Hdf5(Hdf5&&) noexcept;
  Hdf5& operator=(Hdf5&&) noexcept;
  ~Hdf5() override;

  /// Links into other files and symbolic ones lead nowhere.
  bool has(const std::string& path) const override;
  /// An attribute of a group (empty: the root); none where it is not there.
  Expected<std::optional<std::string>> text(const std::string& group,
                                            const std::string& attribute) const;
  /// Keras splits a list over attributes name0, name1, .. where it is long.
  Expected<std::optional<std::vector<std::string>>> texts(
      const std::string& group, const std::string& attribute) const override;
  Expected<Tensor> tensor(const std::string& path) const override;

 private:
  struct File;
  explicit Hdf5(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

}  // namespace ingot::keras
