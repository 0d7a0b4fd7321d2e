// SPDX-License-Identifier: Apache-2.0
// Tests write Keras' files with it, whole ones and such as nobody should write.
#pragma once

#include <hdf5.h>
#include <zip.h>

#include <map>
#include <string>
#include <vector>

#include "base/expected.h"
#include "ir/tensor.h"

namespace ingot::keras {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

inline Tensor floats(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  Tensor tensor(DType::f32, std::move(shape));
  for (std::size_t i = 0; i < values.size(); ++i)
    tensor.set(static_cast<std::int64_t>(i), values[i]);
  return tensor;
}

/// An HDF5 file in memory.
class Hdf5Builder {
 public:
  Hdf5Builder() {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, 4096, 0);
    // Files in memory are one file where they have one name.
    static int built = 0;
    file_ = H5Fcreate(fmt::format("built {}", ++built).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    groups_ = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(groups_, 1);
  }
  Hdf5Builder(const Hdf5Builder&) = delete;
  Hdf5Builder& operator=(const Hdf5Builder&) = delete;
  ~Hdf5Builder() {
    H5Pclose(groups_);
    if (file_ >= 0) H5Fclose(file_);
  }
  hid_t file() const { return file_; }

  void tensor(const std::string& path, const Tensor& values) {
    std::vector<hsize_t> sizes(values.shape().begin(), values.shape().end());
    const hid_t space = H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
    dataset(path, space, H5P_DEFAULT, values.bytes().data());
  }
  /// Of f32; `bytes` may be null: nothing is written.
  void dataset(const std::string& path, hid_t space, hid_t creation, const void* bytes,
               hid_t type = H5T_IEEE_F32LE) {
    const hid_t set = H5Dcreate2(file_, path.c_str(), type, space, groups_, creation, H5P_DEFAULT);
    if (bytes != nullptr) H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
    H5Dclose(set);
    H5Sclose(space);
  }
  void group(const std::string& path) {
    H5Gclose(H5Gcreate2(file_, path.c_str(), groups_, H5P_DEFAULT, H5P_DEFAULT));
  }
  void text(const std::string& attribute, const std::string& value) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, value.empty() ? 1 : value.size());
    write(file_, attribute, type, H5Screate(H5S_SCALAR), value.data());
  }
  /// Of variable length, as h5py writes them.
  void texts(const std::string& path, const std::string& attribute,
             const std::vector<std::string>& values) {
    if (H5Lexists(file_, path.c_str(), H5P_DEFAULT) <= 0) group(path);
    std::vector<const char*> pointers;
    for (const std::string& value : values) pointers.push_back(value.c_str());
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const hsize_t count = values.size();
    const hid_t at = H5Oopen(file_, path.c_str(), H5P_DEFAULT);
    write(at, attribute, type, H5Screate_simple(1, &count, nullptr), pointers.data());
    H5Oclose(at);
  }
  Bytes bytes() {
    H5Fflush(file_, H5F_SCOPE_GLOBAL);
    Bytes image(static_cast<std::size_t>(H5Fget_file_image(file_, nullptr, 0)));
    H5Fget_file_image(file_, image.data(), image.size());
    return image;
  }

 private:
  static void write(hid_t at, const std::string& name, hid_t type, hid_t space,
                    const void* values) {
    const hid_t attribute = H5Acreate2(at, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, values);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
  }

  hid_t file_, groups_;
};

inline Bytes zip_of(const std::map<std::string, Bytes>& files) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* archive = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(archive);
  zip_t* zip = zip_open_from_source(archive, ZIP_TRUNCATE, &error);
  for (const auto& [name, bytes] : files) {
    zip_source_t* source = zip_source_buffer(zip, bytes.data(), bytes.size(), 0);
    zip_file_add(zip, name.c_str(), source, ZIP_FL_OVERWRITE);
  }
  zip_close(zip);
  zip_source_open(archive);
  zip_source_seek(archive, 0, SEEK_END);
  Bytes all(static_cast<std::size_t>(zip_source_tell(archive)));
  zip_source_seek(archive, 0, SEEK_SET);
  zip_source_read(archive, all.data(), all.size());
  zip_source_close(archive);
  zip_source_free(archive);
  zip_error_fini(&error);
  return all;
}

/// A .keras file.
inline Bytes keras_file(const std::string& config, Bytes weights) {
  return zip_of({{"config.json", bytes_of(config)},
                 {"metadata.json", bytes_of(R"({"keras_version": "3.15.1"})")},
                 {"model.weights.h5", std::move(weights)}});
}

}  // namespace ingot::keras
