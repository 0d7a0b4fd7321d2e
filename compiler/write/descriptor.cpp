// SPDX-License-Identifier: Apache-2.0
// Copies the structs of <ingot/abi.h> into a growing block of bytes and notes where addresses go.
#include "write/descriptor.h"

#include <ingot/abi.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/expected.h"
#include "write/manifest.h"

namespace ingot::write {
namespace {

// The blob is written with this machine's layout for machines of the same: 64-bit, little-endian.
static_assert(sizeof(void*) == 8 && sizeof(ingot_model) == 248 && sizeof(ingot_variant) == 112);

class Builder {
 public:
  explicit Builder(std::string name) { blob_.name = std::move(name); }

  /// Room for `count` structs of type T, zero until put() fills them.
  template <class T>
  std::uint64_t reserve(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 8);
    return reserve_bytes(count * sizeof(T), 8);
  }

  template <class T>
  void put(std::uint64_t offset, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    INGOT_CHECK(offset + sizeof(T) <= blob_.bytes.size(), "descriptor: write past the end");
    std::memcpy(blob_.bytes.data() + offset, &value, sizeof(T));
  }

  /// Makes the eight bytes at `offset` the address of something in the blob.
  void point(std::uint64_t offset, std::uint64_t target) {
    blob_.relocations.push_back({offset, {}, target});
  }

  /// Makes the eight bytes at `offset` the address of a name in the object; none if it is empty.
  void point(std::uint64_t offset, const std::string& symbol) {
    if (!symbol.empty()) blob_.relocations.push_back({offset, symbol, 0});
  }

  /// Makes the eight bytes at `offset` the address of this text. Equal texts are stored once,
  /// behind all structs.
  void text(std::uint64_t offset, const std::string& value) { texts_[value].push_back(offset); }

  /// An ingot_array at `offset` for `items`; `fill(item, offset of its struct)` writes each one.
  template <class Struct, class Items, class Fill>
  void array(std::uint64_t offset, const Items& items, Fill fill) {
    ingot_array header{};
    header.count = static_cast<std::uint32_t>(items.size());
    header.item_bytes = sizeof(Struct);
    put(offset, header);
    if (items.empty()) return;
    const std::uint64_t first = reserve<Struct>(items.size());
    point(offset + offsetof(ingot_array, items), first);
    for (std::size_t i = 0; i < items.size(); ++i) fill(items[i], first + i * sizeof(Struct));
  }

  ConstantBlob finish() && {
    blob_.texts = reserve_bytes(0, 8);
    for (const auto& [value, offsets] : texts_) {
      const std::uint64_t at = reserve_bytes(value.size() + 1, 1);
      std::memcpy(blob_.bytes.data() + at, value.data(), value.size());
      for (const std::uint64_t offset : offsets) point(offset, at);
    }
    reserve_bytes(0, 8);
    std::ranges::sort(blob_.relocations, {}, &Relocation::offset);
    return std::move(blob_);
  }

 private:
  std::uint64_t reserve_bytes(std::size_t count, std::size_t alignment) {
    const std::size_t at = (blob_.bytes.size() + alignment - 1) / alignment * alignment;
    blob_.bytes.resize(at + count);
    return at;
  }

  ConstantBlob blob_;
  std::map<std::string, std::vector<std::uint64_t>> texts_;
};

void put_tensor(Builder& builder, const TensorInterface& tensor, std::uint64_t at) {
  ingot_tensor_info info{};
  info.dtype = tensor.dtype;
  info.strided_axes = tensor.strided_axes;
  builder.put(at, info);
  builder.text(at + offsetof(ingot_tensor_info, name), tensor.name);
  builder.array<ingot_dim>(at + offsetof(ingot_tensor_info, dims), tensor.axes,
                           [&](const AxisInterface& axis, std::uint64_t place) {
                             ingot_dim dim{};
                             dim.value = axis.value;
                             dim.symbol = axis.symbol;
                             builder.put(place, dim);
                             builder.text(place + offsetof(ingot_dim, text), axis.text);
                           });
}

void put_symbol(Builder& builder, const SymbolInterface& symbol, std::uint64_t at) {
  ingot_symbol entry{};
  entry.lo = symbol.lo;
  entry.hi = symbol.hi;
  entry.flags = (symbol.data_dependent ? std::uint64_t{INGOT_SYMBOL_DATA_DEPENDENT} : 0U) |
                (symbol.rows ? std::uint64_t{INGOT_SYMBOL_ROWS} : 0U);
  builder.put(at, entry);
  builder.text(at + offsetof(ingot_symbol, name), symbol.name);
  builder.text(at + offsetof(ingot_symbol, bound), symbol.bound);
}

void put_variant(Builder& builder, const VariantInterface& variant, std::uint64_t at) {
  ingot_variant entry{};
  entry.device = variant.device;
  entry.architecture = variant.architecture;
  entry.level = variant.level;
  entry.flags = variant.other_bits ? INGOT_VARIANT_OTHER_BITS : 0;
  builder.put(at, entry);
  builder.text(at + offsetof(ingot_variant, name), variant.name);
  builder.text(at + offsetof(ingot_variant, features), variant.features);
  builder.array<ingot_pin>(at + offsetof(ingot_variant, pins), variant.pins,
                           [&](const PinInterface& pin, std::uint64_t place) {
                             ingot_pin value{};
                             value.symbol = pin.symbol;
                             value.lo = pin.lo;
                             value.hi = pin.hi;
                             builder.put(place, value);
                           });
  builder.point(at + offsetof(ingot_variant, run), variant.run);
  builder.point(at + offsetof(ingot_variant, run_probed), variant.run_probed);
  builder.point(at + offsetof(ingot_variant, workspace_bytes), variant.workspace_bytes);
}

void put_kernel(Builder& builder, const KernelInterface& kernel, std::uint64_t at) {
  builder.text(at + offsetof(ingot_kernel, name), kernel.name);
  builder.text(at + offsetof(ingot_kernel, kind), kernel.kind);
  builder.text(at + offsetof(ingot_kernel, source), kernel.source);
  builder.text(at + offsetof(ingot_kernel, flops), kernel.flops);
  builder.text(at + offsetof(ingot_kernel, bytes), kernel.bytes);
}

void put_self_test(Builder& builder, const SelfTestInterface& test, std::uint64_t at) {
  ingot_self_test entry{};
  entry.seed = test.seed;
  entry.hash = test.hash;
  builder.put(at, entry);
  if (test.symbols.empty()) return;
  const std::uint64_t values = builder.reserve<std::int64_t>(test.symbols.size());
  for (std::size_t i = 0; i < test.symbols.size(); ++i) {
    builder.put(values + i * sizeof(std::int64_t), test.symbols[i]);
  }
  builder.point(at + offsetof(ingot_self_test, symbols), values);
}

}  // namespace

std::string descriptor_symbol(const Interface& model) {
  INGOT_CHECK(model.hash.size() == 32, "provenance hash '{}' has not 32 digits", model.hash);
  return fmt::format("{}_header_and_object_are_from_one_ingot_compile_{}", model.name,
                     model.hash.substr(0, 16));
}

ConstantBlob make_descriptor(const Interface& model) {
  Builder builder(descriptor_symbol(model));
  builder.reserve<ingot_model>(1);
  ingot_model entry{};
  entry.struct_bytes = sizeof(ingot_model);
  entry.abi_major = INGOT_ABI_MAJOR;
  entry.abi_minor = INGOT_ABI_MINOR;
  entry.flags = model.strict ? INGOT_MODEL_STRICT : 0;
  entry.weights_bytes = model.weights_bytes;
  entry.weights_alignment = model.weights_alignment;
  builder.put(0, entry);

  builder.text(offsetof(ingot_model, name), model.name);
  builder.text(offsetof(ingot_model, signature), model.signature);
  builder.text(offsetof(ingot_model, source), model.source);
  builder.text(offsetof(ingot_model, version), model.version);
  builder.text(offsetof(ingot_model, ingot_version), model.ingot_version);
  builder.text(offsetof(ingot_model, hash), model.hash);
  builder.text(offsetof(ingot_model, workspace_formula), model.workspace_formula);
  builder.text(offsetof(ingot_model, manifest), manifest_text(model));

  const auto tensor = [&](const TensorInterface& item, std::uint64_t at) {
    put_tensor(builder, item, at);
  };
  builder.array<ingot_symbol>(
      offsetof(ingot_model, symbols), model.symbols,
      [&](const SymbolInterface& item, std::uint64_t at) { put_symbol(builder, item, at); });
  builder.array<ingot_constraint>(offsetof(ingot_model, constraints), model.constraints,
                                  [&](const std::string& item, std::uint64_t at) {
                                    builder.text(at + offsetof(ingot_constraint, text), item);
                                  });
  builder.array<ingot_tensor_info>(offsetof(ingot_model, inputs), model.inputs, tensor);
  builder.array<ingot_tensor_info>(offsetof(ingot_model, outputs), model.outputs, tensor);
  builder.array<ingot_variant>(
      offsetof(ingot_model, variants), model.variants,
      [&](const VariantInterface& item, std::uint64_t at) { put_variant(builder, item, at); });
  builder.array<ingot_kernel>(
      offsetof(ingot_model, kernels), model.kernels,
      [&](const KernelInterface& item, std::uint64_t at) { put_kernel(builder, item, at); });
  builder.array<ingot_self_test>(
      offsetof(ingot_model, self_tests), model.self_tests,
      [&](const SelfTestInterface& item, std::uint64_t at) { put_self_test(builder, item, at); });

  builder.point(offsetof(ingot_model, weights), model.weights);
  builder.point(offsetof(ingot_model, workspace_bytes), model.workspace_bytes);
  builder.point(offsetof(ingot_model, shapes), model.shapes);
  builder.point(offsetof(ingot_model, costs), model.costs);
  return std::move(builder).finish();
}

ConstantBlob make_model_list(std::span<const std::string> descriptor_symbols) {
  Builder builder("ingot_models");
  builder.reserve<ingot_model_list>(1);
  ingot_model_list list{};
  list.struct_bytes = sizeof(ingot_model_list);
  list.abi_major = INGOT_ABI_MAJOR;
  list.count = static_cast<std::uint32_t>(descriptor_symbols.size());
  builder.put(0, list);
  // Addresses, which are as long as any 64-bit number.
  const std::uint64_t models = builder.reserve<std::uint64_t>(descriptor_symbols.size());
  builder.point(offsetof(ingot_model_list, models), models);
  for (std::size_t i = 0; i < descriptor_symbols.size(); ++i) {
    builder.point(models + i * sizeof(std::uint64_t), descriptor_symbols[i]);
  }
  return std::move(builder).finish();
}

}  // namespace ingot::write
