// SPDX-License-Identifier: Apache-2.0
#include "import/saved_model/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "import/inputs.h"
#include "import/saved_model/crc32c.h"
#include "import/saved_model/table.h"
#include "import/saved_model/varint.h"
#include "import/tensorflow/tensor.h"

namespace ingot::tensorflow {
namespace {

/// Every error of a file begins with its path.
Error of_file(const Error& error, const std::string& path) {
  return {error.code, fmt::format("{}: {}", path, error.message)};
}

Expected<std::vector<std::int64_t>> shape_of(const BundleEntry& entry) {
  std::vector<std::int64_t> shape;
  for (const auto& dim : entry.shape().dim()) shape.push_back(dim.size());
  INGOT_TRY(element_count(shape));
  return shape;
}

/// How many single letters have to be changed, put in or left out to make one text of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t corner = i;
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

constexpr std::string_view object_graph = "_CHECKPOINTABLE_OBJECT_GRAPH";

/// The numbers by which keys of parts are ordered as their parts are (TensorFlow's OrderedCode).
void append_signed(std::string& key, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value < 0 ? ~value : value);
  int used = 0;
  while (used < 64 && bits >> used != 0) ++used;
  const int length = used / 7 + 1;
  // The sign fills what is in front; the number of bytes is said by as many flipped bits.
  unsigned char bytes[10];
  for (int i = 0; i < 10; ++i) {
    const int shift = 8 * (9 - i);
    bytes[i] = static_cast<unsigned char>(shift > 56 ? (value < 0 ? 0xff : 0) : value >> shift);
  }
  const unsigned flips = 0xffff0000U >> length & 0xffffU;
  unsigned char* first = bytes + (10 - length);
  first[0] ^= static_cast<unsigned char>(flips >> 8);
  if (length > 1) first[1] ^= static_cast<unsigned char>(flips & 0xffU);
  key.append(reinterpret_cast<char*>(first), static_cast<std::size_t>(length));
}

/// The place of a part within its tensor.
struct Box {
  std::vector<std::int64_t> start, size;
  std::int64_t elements = 1;
};

Expected<Box> box_of(const TensorSlice& slice, std::span<const std::int64_t> shape) {
  auto misfit = [] {
    return fail(ErrorCode::invalid_model, "a part of it does not lie within it");
  };
  if (static_cast<std::size_t>(slice.extent_size()) != shape.size()) return misfit();
  Box box;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const TensorSlice::Extent& extent = slice.extent(static_cast<int>(d));
    const std::int64_t start = extent.has_length() ? extent.start() : 0;
    const std::int64_t size = extent.has_length() ? extent.length() : shape[d];
    if (start < 0 || size < 0 || start > shape[d] || size > shape[d] - start) return misfit();
    box.start.push_back(start);
    box.size.push_back(size);
  }
  INGOT_ASSIGN(box.elements, element_count(box.size));
  return box;
}

bool overlap(const Box& a, const Box& b) {
  for (std::size_t d = 0; d < a.start.size(); ++d) {
    if (a.start[d] >= b.start[d] + b.size[d] || b.start[d] >= a.start[d] + a.size[d]) return false;
  }
  return true;
}

/// Calls `copy` with the places of each row of a part, and its bytes.
template <class Copy>
void each_row(const Tensor& whole, const Tensor& part, const Box& box, Copy&& copy) {
  const std::size_t rank = box.size.size();
  const std::size_t width = bytes_of(whole.dtype());
  if (part.elements() == 0) return;
  const std::int64_t row = rank == 0 ? 1 : box.size[rank - 1];
  std::vector<std::int64_t> at(rank, 0);
  for (std::int64_t done = 0; done < part.elements(); done += row) {
    std::int64_t to = 0;
    for (std::size_t d = 0; d < rank; ++d) to = to * whole.shape()[d] + box.start[d] + at[d];
    copy(static_cast<std::size_t>(to) * width, static_cast<std::size_t>(done) * width,
         static_cast<std::size_t>(row) * width);
    for (std::size_t d = rank - std::min<std::size_t>(rank, 1); d-- > 0;) {
      if (++at[d] < box.size[d]) break;
      at[d] = 0;
    }
  }
}

}  // namespace

std::string slice_key(std::string_view name, const TensorSlice& slice) {
  using namespace std::string_view_literals;
  std::string key("\0", 1);
  for (const char letter : name) {
    key += letter;
    if (letter == '\0') key += '\xff';
    if (letter == '\xff') key += '\0';
  }
  key += "\0\1"sv;
  const int rank = slice.extent_size();
  if (rank == 0) {
    key += '\0';
  } else {
    key += '\1';
    key += static_cast<char>(rank);
  }
  for (const TensorSlice::Extent& extent : slice.extent()) {
    append_signed(key, extent.has_length() ? extent.start() : 0);
    append_signed(key, extent.has_length() ? extent.length() : -1);
  }
  return key;
}

Expected<std::vector<std::string>> decode_strings(std::span<const std::byte> stored,
                                                  std::uint64_t count, std::uint32_t checksum) {
  auto broken = [](std::string_view what) {
    return fail(ErrorCode::invalid_model, "a tensor of strings {}", what);
  };
  const std::string_view bytes(reinterpret_cast<const char*>(stored.data()), stored.size());
  if (count > bytes.size()) return broken("is larger than what is stored of it");
  Varints numbers(bytes);
  std::vector<std::uint64_t> lengths;
  std::uint32_t crc = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t length = numbers.next();
    if (numbers.failed()) return broken("ends within its lengths");
    lengths.push_back(length);
    // Checksums are taken of lengths as numbers of 4 bytes, of 8 where that does not suffice.
    const int width = length > std::numeric_limits<std::uint32_t>::max() ? 8 : 4;
    std::byte fixed[8];
    for (int b = 0; b < width; ++b) fixed[b] = static_cast<std::byte>(length >> (8 * b) & 0xffU);
    crc = crc32c({fixed, static_cast<std::size_t>(width)}, crc);
  }
  std::string_view rest = numbers.rest();
  if (rest.size() < 4) return broken("ends within its lengths");
  std::uint32_t stated = 0;
  for (std::size_t b = 4; b-- > 0;) stated = stated << 8 | static_cast<std::uint8_t>(rest[b]);
  crc = stated == masked(crc) ? crc32c(std::as_bytes(std::span(rest)), crc) : ~checksum;
  if (masked(crc) != checksum) return broken("fails its checksum (CRC-32C)");
  rest.remove_prefix(4);
  std::vector<std::string> strings;
  for (const std::uint64_t length : lengths) {
    if (length > rest.size()) return broken("ends early");
    strings.emplace_back(rest.substr(0, static_cast<std::size_t>(length)));
    rest.remove_prefix(static_cast<std::size_t>(length));
  }
  if (!rest.empty()) return broken("is smaller than what is stored of it");
  return strings;
}

Expected<Checkpoint> Checkpoint::read(std::span<const std::byte> index, const std::string& prefix) {
  INGOT_ASSIGN(std::vector<TableEntry> table, read_table(index));
  if (table.empty() || !table[0].key.empty())
    return fail(ErrorCode::invalid_model, "a table without a header is no index of a checkpoint");
  BundleHeader header;
  if (!header.ParseFromString(table[0].value) || header.num_shards() < 0)
    return fail(ErrorCode::invalid_model, "its header cannot be read");
  if (header.endianness() != 0) {
    return fail(ErrorCode::unsupported,
                "it was written by a big-endian machine; save the model again on another one");
  }
  Checkpoint checkpoint;
  checkpoint.prefix_ = prefix;
  checkpoint.shards_ = header.num_shards();
  for (std::size_t i = 1; i < table.size(); ++i) {
    BundleEntry entry;
    // Keys of parts are no text.
    const bool text = table[i].key[0] == '\0' || is_utf8(table[i].key);
    if (!text || !entry.ParseFromString(table[i].value))
      return fail(ErrorCode::invalid_model, "its entry {} cannot be read", i);
    checkpoint.entries_.emplace_hint(checkpoint.entries_.end(), std::move(table[i].key),
                                     std::move(entry));
    table[i] = {};
  }
  return checkpoint;
}

Expected<Checkpoint> Checkpoint::open(const std::string& prefix,
                                      std::function<void(const std::string&)> on_read) {
  const std::string path = prefix + ".index";
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(path));
  if (on_read) on_read(path);
  Expected<Checkpoint> checkpoint = read(bytes, prefix);
  if (!checkpoint) return of_file(checkpoint.error(), path);
  checkpoint->on_read_ = std::move(on_read);
  return checkpoint;
}

const BundleEntry* Checkpoint::find(std::string_view key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() || key.empty() ? nullptr : &it->second;
}

std::string Checkpoint::nearest(std::string_view key) const {
  constexpr std::size_t most_shown = 4, most_compared = 2000, longest = 200;
  std::vector<std::pair<std::size_t, std::string_view>> near;
  for (const auto& [known, entry] : entries_) {
    if (known.starts_with('\0') || known == object_graph || near.size() == most_compared) continue;
    near.emplace_back(distance(key.substr(0, longest), known.substr(0, longest)), known);
  }
  if (near.empty()) return "none";
  std::sort(near.begin(), near.end());
  near.resize(std::min(near.size(), most_shown));
  std::string text;
  for (const auto& [unused, known] : near)
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", known);
  return text;
}

std::string Checkpoint::path_of(int shard) const {
  return fmt::format("{}.data-{:05}-of-{:05}", prefix_, shard, shards_);
}

Expected<const PartFile*> Checkpoint::file_of(const std::string& key, const BundleEntry& entry) {
  const int shard = entry.shard_id();
  if (shard < 0 || shard >= shards_) {
    return fail(ErrorCode::invalid_model, "{}.index: tensor '{}' is in file {}, but there are {}",
                prefix_, key, shard, shards_);
  }
  const std::string path = path_of(shard);
  auto it = files_.find(shard);
  if (it == files_.end()) {
    Expected<PartFile> file = PartFile::open(path);
    std::error_code status;
    if (!file && !std::filesystem::exists(path, status)) {
      return fail(ErrorCode::invalid_model,
                  "{}: this file is missing, and tensor '{}' is in it; copy the whole folder", path,
                  key);
    }
    if (!file) return file.error();
    if (on_read_) on_read_(path);
    it = files_.emplace(shard, *std::move(file)).first;
  }
  const auto offset = static_cast<std::uint64_t>(entry.offset());
  const auto size = static_cast<std::uint64_t>(entry.size());
  if (entry.offset() < 0 || entry.size() < 0 || offset > it->second.size() ||
      size > it->second.size() - offset) {
    return fail(ErrorCode::invalid_model,
                "{}: it has {} bytes, but tensor '{}' takes {} from byte {} on; is it cut off?",
                path, it->second.size(), key, entry.size(), entry.offset());
  }
  return &it->second;
}

Expected<void> Checkpoint::read_bytes(const std::string& key, const BundleEntry& entry,
                                      std::span<std::byte> to) {
  INGOT_ASSIGN(const PartFile* file, file_of(key, entry));
  INGOT_TRY(file->read(static_cast<std::uint64_t>(entry.offset()), to));
  return {};
}

Expected<Tensor> Checkpoint::tensor(const std::string& key) {
  const BundleEntry* entry = find(key);
  if (entry == nullptr) {
    return fail(ErrorCode::invalid_model, "{}.index has no tensor '{}'; the nearest: {}", prefix_,
                key, nearest(key));
  }
  const std::optional<DType> dtype = dtype_from_file(entry->dtype());
  if (!dtype) {
    return fail(ErrorCode::unsupported, "tensor '{}' has element type {}", key,
                dtype_name(entry->dtype()));
  }
  Expected<Tensor> result = assemble(key, *entry);
  if (!result) return result.error();
  return *std::move(result);
}

Expected<Tensor> Checkpoint::part(const std::string& key, const TensorSlice& slice) {
  const std::string stored = slice_key(key, slice);
  if (find(stored) != nullptr) return assemble(key, *find(stored));
  INGOT_ASSIGN(const Tensor whole, tensor(key));
  const Expected<Box> box = box_of(slice, whole.shape());
  if (!box) {
    return fail(ErrorCode::invalid_model, "{}.index: tensor '{}': {}", prefix_, key,
                box.error().message);
  }
  Tensor part(whole.dtype(), box->size);
  each_row(whole, part, *box, [&](std::size_t in_whole, std::size_t in_part, std::size_t bytes) {
    std::copy_n(whole.bytes().data() + in_whole, bytes, part.mutable_bytes().data() + in_part);
  });
  return part;
}

Expected<Tensor> Checkpoint::assemble(const std::string& key, const BundleEntry& entry) {
  auto inconsistent = [&](std::string_view what) {
    return fail(ErrorCode::invalid_model, "{}.index: tensor '{}': {}", prefix_, key, what);
  };
  const std::optional<DType> dtype = dtype_from_file(entry.dtype());
  if (!dtype) return inconsistent("it has another element type than the whole");
  const auto shape = shape_of(entry);
  if (!shape) return inconsistent(shape.error().message);
  const Expected<void> fits = check_extent({*dtype, Shape(shape->begin(), shape->end())});
  if (!fits) return inconsistent(fits.error().message);
  INGOT_ASSIGN(const std::int64_t count, element_count(*shape));
  const std::size_t bytes = static_cast<std::size_t>(count) * bytes_of(*dtype);
  if (entry.slices_size() == 0) {
    if (entry.size() != static_cast<std::int64_t>(bytes)) {
      return inconsistent(
          fmt::format("it has {} elements of {}, but {} bytes", count, name(*dtype), entry.size()));
    }
    // Before there is memory for it: that there is so much in the file.
    INGOT_TRY(file_of(key, entry));
    std::vector<std::byte> contents(bytes);
    INGOT_TRY(read_bytes(key, entry, contents));
    if (masked(crc32c(contents)) != entry.crc32c()) {
      return fail(ErrorCode::invalid_model,
                  "{}: tensor '{}' fails its checksum (CRC-32C); copy the file again",
                  path_of(entry.shard_id()), key);
    }
    if (*dtype == DType::boolean) {
      for (std::byte& value : contents) value = std::byte{value != std::byte{0}};
    }
    return Tensor(*dtype, *shape, std::move(contents));
  }
  constexpr int most_parts = 4096;
  if (entry.slices_size() > most_parts)
    return fail(ErrorCode::limit, "tensor '{}' is in {} parts; the limit is {}", key,
                entry.slices_size(), most_parts);
  std::vector<Box> boxes;
  std::int64_t covered = 0;
  for (const TensorSlice& slice : entry.slices()) {
    const Expected<Box> box = box_of(slice, *shape);
    if (!box) return inconsistent(box.error().message);
    for (const Box& other : boxes) {
      if (overlap(*box, other)) return inconsistent("two parts of it overlap");
    }
    covered += box->elements;
    boxes.push_back(*box);
  }
  if (covered != count) return inconsistent("its parts do not make up all of it");
  // All parts are looked for before there is memory for the whole.
  std::map<int, std::uint64_t> stored;
  for (const TensorSlice& slice : entry.slices()) {
    const BundleEntry* part = find(slice_key(key, slice));
    if (part == nullptr) return inconsistent("a part of it is missing");
    if (part->slices_size() != 0) return inconsistent("a part of it has parts of its own");
    INGOT_ASSIGN(const PartFile* file, file_of(key, *part));
    stored[part->shard_id()] = file->size();
  }
  std::uint64_t most = 0;
  for (const auto& [unused, size] : stored) most += size;
  if (bytes > most) return inconsistent("it is larger than the files that its parts are in");
  Tensor whole(*dtype, *shape);
  for (int i = 0; i < entry.slices_size(); ++i) {
    const Box& box = boxes[static_cast<std::size_t>(i)];
    INGOT_ASSIGN(const Tensor part, assemble(key, *find(slice_key(key, entry.slices(i)))));
    if (part.dtype() != *dtype || part.shape() != box.size)
      return inconsistent("a part of it has another type or shape than the whole says");
    each_row(whole, part, box, [&](std::size_t in_whole, std::size_t in_part, std::size_t size) {
      std::copy_n(part.bytes().data() + in_part, size, whole.mutable_bytes().data() + in_whole);
    });
  }
  return whole;
}

Expected<std::vector<std::string>> Checkpoint::strings(const std::string& key) {
  const BundleEntry* entry = find(key);
  constexpr int tf_string = 7;
  if (entry == nullptr || entry->dtype() != tf_string || entry->slices_size() != 0) {
    return fail(ErrorCode::invalid_model, "{}.index has no strings '{}'", prefix_, key);
  }
  INGOT_ASSIGN(const std::vector<std::int64_t> shape, shape_of(*entry));
  INGOT_ASSIGN(const std::int64_t count, element_count(shape));
  INGOT_TRY(file_of(key, *entry));
  std::vector<std::byte> stored(static_cast<std::size_t>(entry->size()));
  INGOT_TRY(read_bytes(key, *entry, stored));
  const auto decoded = decode_strings(stored, static_cast<std::uint64_t>(count), entry->crc32c());
  if (!decoded) {
    return fail(decoded.error().code, "{}: '{}': {}", path_of(entry->shard_id()), key,
                decoded.error().message);
  }
  return decoded;
}

}  // namespace ingot::tensorflow
