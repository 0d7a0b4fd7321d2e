// SPDX-License-Identifier: Apache-2.0
#include "import/keras/hdf5.h"

#ifdef INGOT_HDF5

#include <hdf5.h>

#include <algorithm>
#include <mutex>

namespace ingot::keras {
namespace {

constexpr std::size_t most_texts = std::size_t{1} << 20;
/// What deflate can make of one byte, at most; datasets that claim more hold no numbers.
constexpr std::uint64_t most_expansion = 1100;
constexpr int most_chunks = 4096;  // of a list that is split over attributes

/// The library has one state for all threads, and prints what goes wrong unless it is told not to.
class Quiet {
 public:
  Quiet() : lock_(mutex()) {
    H5Eget_auto2(H5E_DEFAULT, &printer_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  ~Quiet() { H5Eset_auto2(H5E_DEFAULT, printer_, data_); }

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t printer_ = nullptr;
  void* data_ = nullptr;
};

/// Closes what it holds.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  explicit operator bool() const { return id_ >= 0; }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

/// What the library says went wrong first, in its innermost function.
std::string innermost() {
  std::string text;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned n, const H5E_error2_t* error, void* out) -> herr_t {
        if (n == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
        return 0;
      },
      &text);
  return text.empty() ? "no reason given" : text;
}

// The image of a file is read where it lies, so that it is in memory once.
void* lend(std::size_t, H5FD_file_image_op_t, void* bytes) { return bytes; }
void* leave(void* to, const void*, std::size_t, H5FD_file_image_op_t, void*) { return to; }
void* refuse_to_grow(void*, std::size_t, H5FD_file_image_op_t, void*) { return nullptr; }
herr_t keep(void*, H5FD_file_image_op_t, void*) { return 0; }
void* same_data(void* bytes) { return bytes; }
herr_t keep_data(void*) { return 0; }

/// Objects by hard links alone: others may lead into other files, or in circles.
hid_t open_object(hid_t file, const std::string& path) {
  std::string so_far;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.size(), rest.find('/'));
    if (end > 0) {
      so_far += (so_far.empty() ? "" : "/") + std::string(rest.substr(0, end));
      H5L_info_t link;
      if (H5Lexists(file, so_far.c_str(), H5P_DEFAULT) <= 0 ||
          H5Lget_info(file, so_far.c_str(), &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
        return -1;
    }
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
  return H5Oopen(file, so_far.empty() ? "/" : so_far.c_str(), H5P_DEFAULT);
}

/// The element type of a dataset, and whether its bytes are as ours; none for what is no number.
std::optional<DType> dtype_of(hid_t type) {
  const std::size_t size = H5Tget_size(type);
  const H5T_class_t kind = H5Tget_class(type);
  // bfloat16, which HDF5 has no name for; Keras writes nothing else in two bytes of no type.
  if (kind == H5T_OPAQUE) return size == 2 ? std::optional(DType::bf16) : std::nullopt;
  if (kind == H5T_ENUM) return size == 1 ? std::optional(DType::boolean) : std::nullopt;
  if (kind == H5T_INTEGER) {
    const bool with_sign = H5Tget_sign(type) == H5T_SGN_2;
    switch (size) {
      case 1:
        return with_sign ? DType::i8 : DType::u8;
      case 2:
        return with_sign ? DType::i16 : DType::u16;
      case 4:
        return with_sign ? DType::i32 : DType::u32;
      case 8:
        return with_sign ? DType::i64 : DType::u64;
      default:
        return std::nullopt;
    }
  }
  if (kind != H5T_FLOAT) return std::nullopt;
  std::size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
  if (H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) < 0)
    return std::nullopt;
  if (size == 8 && mantissa_bits == 52) return DType::f64;
  if (size == 4 && mantissa_bits == 23) return DType::f32;
  if (size == 2 && mantissa_bits == 10) return DType::f16;
  if (size == 2 && mantissa_bits == 7) return DType::bf16;
  return std::nullopt;
}

/// What a dataset's elements become in memory: little-endian, as tensors are.
hid_t memory_type(hid_t type) {
  const hid_t copy = H5Tcopy(type);
  if (copy >= 0 && H5Tget_class(copy) != H5T_OPAQUE && H5Tget_order(copy) == H5T_ORDER_BE)
    H5Tset_order(copy, H5T_ORDER_LE);
  return copy;
}

/// Numbers in this file and nowhere else, packed by what is in every build of the library, if at
/// all; plug-ins are not loaded for a model.
bool is_stored_plainly(hid_t dataset) {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  if (!creation || H5Pget_external_count(creation) != 0) return false;
  const H5D_layout_t layout = H5Pget_layout(creation);
  if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) return false;
  const int filters = H5Pget_nfilters(creation);
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values,
                                               nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32)
      return false;
  }
  return filters >= 0;
}

std::string trimmed(const char* text, std::size_t size) {
  const std::string_view view(text, size);
  return std::string(view.substr(0, std::min(size, view.find('\0'))));
}

/// The texts of an attribute that is there.
Expected<std::vector<std::string>> read_texts(hid_t object, const std::string& name) {
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose);
  const Handle type(attribute ? H5Aget_type(attribute) : -1, H5Tclose);
  const Handle space(attribute ? H5Aget_space(attribute) : -1, H5Sclose);
  if (!type || !space)
    return fail(ErrorCode::invalid_model, "attribute '{}' is damaged: {}", name, innermost());
  const hssize_t points = H5Sget_simple_extent_npoints(space);
  if (points == 0) return std::vector<std::string>{};  // of numbers, as numpy has it
  if (H5Tget_class(type) != H5T_STRING)
    return fail(ErrorCode::invalid_model, "attribute '{}' is no text", name);
  const auto count = static_cast<std::size_t>(std::max<hssize_t>(points, 0));
  const std::size_t size = H5Tget_size(type);
  if (points < 0 || count > most_texts || size > (std::size_t{1} << 31U) / count)
    return fail(ErrorCode::invalid_model, "attribute '{}' has {} texts", name, points);
  std::vector<std::string> texts;
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char*> pointers(count, nullptr);
    const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    const bool read = H5Aread(attribute, memory, pointers.data()) >= 0;
    for (const char* text : pointers) texts.emplace_back(text == nullptr ? "" : text);
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, pointers.data());
    if (read) return texts;
  } else {
    std::vector<char> bytes(count * size);
    if (H5Aread(attribute, type, bytes.data()) >= 0) {
      for (std::size_t i = 0; i < count; ++i)
        texts.push_back(trimmed(bytes.data() + i * size, size));
      return texts;
    }
  }
  return fail(ErrorCode::invalid_model, "attribute '{}' cannot be read: {}", name, innermost());
}

Expected<std::vector<std::int64_t>> shape_of(hid_t dataset, const std::string& path) {
  const Handle space(H5Dget_space(dataset), H5Sclose);
  const int rank = space ? H5Sget_simple_extent_ndims(space) : -1;
  if (rank < 0 || H5Sget_simple_extent_type(space) == H5S_NULL)
    return fail(ErrorCode::invalid_model, "'{}' has no shape", path);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  std::vector<std::int64_t> shape;
  for (const hsize_t size : sizes) {
    if (size > static_cast<hsize_t>(INT64_MAX))
      return fail(ErrorCode::invalid_model, "'{}' has a size of {}", path, size);
    shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

}  // namespace

struct Hdf5::File {
  hid_t id;
  std::string name;
  ~File() {
    const Quiet quiet;
    H5Fclose(id);
  }
};

Hdf5::Hdf5(std::unique_ptr<File> file) : file_(std::move(file)) {}
Hdf5::Hdf5(Hdf5&&) noexcept = default;
Hdf5& Hdf5::operator=(Hdf5&&) noexcept = default;
Hdf5::~Hdf5() = default;

Expected<Hdf5> Hdf5::open(std::span<const std::byte> bytes, const std::string& name) {
  const Quiet quiet;
  if (bytes.empty()) return fail(ErrorCode::invalid_model, "{} is empty", name);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  void* image = const_cast<std::byte*>(bytes.data());  // opened for reading alone
  H5FD_file_image_callbacks_t callbacks{lend,      leave,     refuse_to_grow, keep,
                                        same_data, keep_data, image};
  constexpr std::size_t step = std::size_t{1} << 16U;
  if (!access || H5Pset_fapl_core(access, step, 0) < 0 ||
      H5Pset_file_image_callbacks(access, &callbacks) < 0 ||
      H5Pset_file_image(access, image, bytes.size()) < 0)
    return fail(ErrorCode::limit, "{}: HDF5's library cannot read from memory: {}", name,
                innermost());
  // The library takes files in memory for one file where they have one name.
  static std::uint64_t opened = 0;
  const std::string unique = fmt::format("{} {}", name, ++opened);
  const hid_t id = H5Fopen(unique.c_str(), H5F_ACC_RDONLY, access);
  if (id < 0) {
    return fail(ErrorCode::invalid_model,
                "{} is cut off or damaged (HDF5: {}); copy or save it again", name, innermost());
  }
  return Hdf5(std::unique_ptr<File>(new File{id, name}));
}

bool Hdf5::has(const std::string& path) const {
  const Quiet quiet;
  return static_cast<bool>(Handle(open_object(file_->id, path), H5Oclose));
}

Expected<std::optional<std::string>> Hdf5::text(const std::string& group,
                                                const std::string& attribute) const {
  const Quiet quiet;
  const Handle object(open_object(file_->id, group), H5Oclose);
  if (!object || H5Aexists(object, attribute.c_str()) <= 0) return std::optional<std::string>{};
  INGOT_ASSIGN(std::vector<std::string> texts, read_texts(object, attribute));
  if (texts.size() != 1)
    return fail(ErrorCode::invalid_model, "attribute '{}' is a list of {}", attribute,
                texts.size());
  return std::optional(std::move(texts[0]));
}

Expected<std::optional<std::vector<std::string>>> Hdf5::texts(const std::string& group,
                                                              const std::string& attribute) const {
  const Quiet quiet;
  using Found = std::optional<std::vector<std::string>>;
  const Handle object(open_object(file_->id, group), H5Oclose);
  if (!object) return Found{};
  if (H5Aexists(object, attribute.c_str()) > 0) {
    INGOT_ASSIGN(std::vector<std::string> whole, read_texts(object, attribute));
    return Found(std::move(whole));
  }
  Found all;
  for (int chunk = 0; chunk < most_chunks; ++chunk) {
    const std::string name = fmt::format("{}{}", attribute, chunk);
    if (H5Aexists(object, name.c_str()) <= 0) break;
    INGOT_ASSIGN(std::vector<std::string> part, read_texts(object, name));
    if (!all) all.emplace();
    std::move(part.begin(), part.end(), std::back_inserter(*all));
  }
  return all;
}

Expected<Tensor> Hdf5::tensor(const std::string& path) const {
  const Quiet quiet;
  const Handle object(open_object(file_->id, path), H5Oclose);
  if (!object) return fail(ErrorCode::invalid_model, "{} has no '{}'", file_->name, path);
  if (H5Iget_type(object) != H5I_DATASET)
    return fail(ErrorCode::invalid_model, "'{}' in {} is a group, not numbers", path, file_->name);
  if (!is_stored_plainly(object))
    return fail(ErrorCode::unsupported,
                "'{}' in {} lies in another file, or is packed by a plug-in of HDF5; save the "
                "model again",
                path, file_->name);
  const Handle type(H5Dget_type(object), H5Tclose);
  const std::optional<DType> dtype = type ? dtype_of(type) : std::nullopt;
  if (!dtype)
    return fail(ErrorCode::unsupported, "'{}' in {} has elements that are no numbers", path,
                file_->name);
  INGOT_ASSIGN(std::vector<std::int64_t> shape, shape_of(object, path));
  INGOT_TRY(check_extent({*dtype, Shape(shape.begin(), shape.end())}));
  INGOT_ASSIGN(const std::int64_t elements, element_count(shape));
  const std::uint64_t size = static_cast<std::uint64_t>(elements) * bytes_of(*dtype);
  const std::uint64_t stored = H5Dget_storage_size(object);
  if (stored < size / most_expansion || (stored == 0 && size > 0))
    return fail(ErrorCode::invalid_model, "'{}' in {} should hold {} bytes, but {} are stored",
                path, file_->name, size, stored);
  std::vector<std::byte> bytes(size);
  const Handle memory(memory_type(type), H5Tclose);
  if (size > 0 &&
      (!memory || H5Dread(object, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0))
    return fail(ErrorCode::invalid_model, "'{}' in {} cannot be read: {}", path, file_->name,
                innermost());
  if (*dtype == DType::boolean)
    for (std::byte& one : bytes) one = std::byte{one != std::byte{0}};
  return Tensor(*dtype, std::move(shape), std::move(bytes));
}

}  // namespace ingot::keras

#else

namespace ingot::keras {

struct Hdf5::File {};
Hdf5::Hdf5(std::unique_ptr<File> file) : file_(std::move(file)) {}
Hdf5::Hdf5(Hdf5&&) noexcept = default;
Hdf5& Hdf5::operator=(Hdf5&&) noexcept = default;
Hdf5::~Hdf5() = default;

Expected<Hdf5> Hdf5::open(std::span<const std::byte>, const std::string& name) {
  return fail(ErrorCode::unsupported,
              "{} is an HDF5 file, and this Ingot was built without HDF5's library; install "
              "libhdf5-dev and build Ingot again, or export the model as a SavedModel",
              name);
}
bool Hdf5::has(const std::string&) const { return false; }
Expected<std::optional<std::string>> Hdf5::text(const std::string&, const std::string&) const {
  return std::optional<std::string>{};
}
Expected<std::optional<std::vector<std::string>>> Hdf5::texts(const std::string&,
                                                              const std::string&) const {
  return std::optional<std::vector<std::string>>{};
}
Expected<Tensor> Hdf5::tensor(const std::string& path) const {
  return fail(ErrorCode::internal, "no file holds '{}'", path);
}

}  // namespace ingot::keras

#endif
