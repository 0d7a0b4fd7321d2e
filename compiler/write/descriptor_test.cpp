// SPDX-License-Identifier: Apache-2.0
// A descriptor's bytes, put at an address as a linker would and read back as the C structs.
#include "write/descriptor.h"

#include <gtest/gtest.h>
#include <ingot/face.h>

#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/abi/fake_interface.h"
#include "write/manifest.h"

namespace ingot::write {
namespace {

/// What a linker does: addresses into the blob, functions at made-up ones.
struct Placed {
  explicit Placed(const ConstantBlob& blob) : memory((blob.bytes.size() + 7) / 8) {
    std::memcpy(memory.data(), blob.bytes.data(), blob.bytes.size());
    for (const Relocation& relocation : blob.relocations) {
      const std::uint64_t base = relocation.symbol.empty()
                                     ? reinterpret_cast<std::uint64_t>(memory.data())
                                     : address(relocation.symbol);
      memory.at(relocation.offset / 8) = base + relocation.addend;
    }
  }
  std::uint64_t address(const std::string& symbol) {
    return symbols.try_emplace(symbol, 0x1000 * (symbols.size() + 1)).first->second;
  }
  const ingot_model& model() const { return *reinterpret_cast<const ingot_model*>(memory.data()); }
  template <class Function>
  bool is(Function function, const std::string& symbol) {
    return reinterpret_cast<std::uint64_t>(function) == address(symbol);
  }

  std::vector<std::uint64_t> memory;
  std::map<std::string, std::uint64_t> symbols;
};

TEST(Descriptor, HasEveryFieldOfTheInterface) {
  const Interface from = fake_interface();
  Placed placed(make_descriptor(from));
  const ingot_model& model = placed.model();
  EXPECT_EQ(model.struct_bytes, sizeof(ingot_model));
  EXPECT_EQ(model.abi_major, 1U);
  EXPECT_STREQ(model.name, "fake");
  EXPECT_STREQ(model.signature, "serving_default");
  EXPECT_STREQ(model.source, "fake.onnx");
  EXPECT_STREQ(model.version, "v2");
  EXPECT_STREQ(model.ingot_version, "0.1.0");
  EXPECT_STREQ(model.hash, from.hash.c_str());
  EXPECT_STREQ(model.workspace_formula, "8*N + 64");
  EXPECT_EQ(model.manifest, manifest_text(from));
  EXPECT_EQ(model.flags, 0U);
  EXPECT_TRUE(placed.is(model.weights, "weights"));
  EXPECT_EQ(model.weights_bytes, 64U);
  EXPECT_EQ(model.weights_alignment, 64U);
  EXPECT_TRUE(placed.is(model.workspace_bytes, "workspace"));
  EXPECT_TRUE(placed.is(model.shapes, "shapes"));
  EXPECT_EQ(model.costs, nullptr);

  ASSERT_EQ(model.symbols.count, 2U);
  const auto& k = item<ingot_symbol>(model.symbols, 1);
  EXPECT_STREQ(k.name, "k");
  EXPECT_EQ(k.lo, 0);
  EXPECT_EQ(k.hi, 64);
  EXPECT_STREQ(k.bound, "");
  EXPECT_EQ(k.flags, 0U);
  EXPECT_EQ(item<ingot_symbol>(model.symbols, 0).flags, std::uint64_t{INGOT_SYMBOL_ROWS});
  ASSERT_EQ(model.constraints.count, 1U);
  EXPECT_STREQ(item<ingot_constraint>(model.constraints, 0).text, "N + 60 >= k");

  ASSERT_EQ(model.inputs.count, 2U);
  const auto& pixels = item<ingot_tensor_info>(model.inputs, 0);
  EXPECT_STREQ(pixels.name, "pixels:0");
  EXPECT_EQ(pixels.dtype, INGOT_F32);
  ASSERT_EQ(pixels.dims.count, 2U);
  EXPECT_EQ(item<ingot_dim>(pixels.dims, 0).symbol, 0);
  EXPECT_EQ(item<ingot_dim>(pixels.dims, 0).value, -1);
  EXPECT_EQ(item<ingot_dim>(pixels.dims, 1).value, 3);
  EXPECT_EQ(item<ingot_dim>(pixels.dims, 1).symbol, -1);
  EXPECT_STREQ(item<ingot_dim>(pixels.dims, 1).text, "3");
  ASSERT_EQ(model.outputs.count, 2U);
  EXPECT_STREQ(item<ingot_tensor_info>(model.outputs, 1).name, "class");
  EXPECT_EQ(item<ingot_tensor_info>(model.outputs, 1).dtype, INGOT_I32);

  ASSERT_EQ(model.kernels.count, 1U);
  const auto& kernel = item<ingot_kernel>(model.kernels, 0);
  EXPECT_STREQ(kernel.name, "choose");
  EXPECT_STREQ(kernel.kind, "map");
  EXPECT_STREQ(kernel.source, "Where Concat");
  EXPECT_STREQ(kernel.flops, "0");
  EXPECT_STREQ(kernel.bytes, "21*N");

  ASSERT_EQ(model.self_tests.count, 1U);
  const auto& test = item<ingot_self_test>(model.self_tests, 0);
  EXPECT_EQ(test.seed, 7U);
  EXPECT_EQ(test.symbols[0], 3);
  EXPECT_EQ(test.symbols[1], 2);
  EXPECT_EQ(test.hash, from.self_tests[0].hash);
}

TEST(Descriptor, ListsVariantsWithTheirFunctions) {
  Placed placed(make_descriptor(fake_interface()));
  const ingot_array& variants = placed.model().variants;
  ASSERT_EQ(variants.count, 3U);
  const auto& v4 = item<ingot_variant>(variants, 0);
  EXPECT_STREQ(v4.name, "v4");
  EXPECT_STREQ(v4.features, "");
  EXPECT_EQ(v4.device, INGOT_CPU);
  EXPECT_EQ(v4.architecture, INGOT_X86_64);
  EXPECT_EQ(v4.level, 4U);
  EXPECT_EQ(v4.pins.count, 0U);
  EXPECT_TRUE(placed.is(v4.run, "run_v4"));
  EXPECT_TRUE(placed.is(v4.run_probed, "probed_v4"));
  EXPECT_EQ(v4.workspace_bytes, nullptr);
  EXPECT_EQ(v4.instance_bytes, 0U);
  EXPECT_EQ(v4.init, nullptr);
  EXPECT_EQ(v4.release, nullptr);
  const auto& pinned = item<ingot_variant>(variants, 1);
  EXPECT_EQ(pinned.run_probed, nullptr);
  ASSERT_EQ(pinned.pins.count, 1U);
  EXPECT_EQ(item<ingot_pin>(pinned.pins, 0).hi, 1);

  const auto chosen = [&](std::uint32_t level) {
    const ingot_variant* variant =
        choose_variant(placed.model(), Cpu{INGOT_X86_64, level}, nullptr);
    return variant != nullptr ? std::string(variant->name) : "none";
  };
  EXPECT_EQ(chosen(4), "v4");
  EXPECT_EQ(chosen(3), "v2") << "the v3 variant is pinned";
  EXPECT_EQ(chosen(1), "none");
}

TEST(Descriptor, FlagsAndOtherRareFields) {
  Interface from = fake_interface();
  from.strict = true;
  from.symbols.push_back({"found", 0, 64, true, false, "k"});
  from.variants[0].other_bits = true;
  from.variants[0].features = "avx512_bf16";
  from.variants[0].workspace_bytes = "workspace_v4";
  from.inputs[0].strided_axes = 1;
  from.costs = "costs";
  Placed placed(make_descriptor(from));
  const ingot_model& model = placed.model();
  EXPECT_EQ(model.flags, std::uint64_t{INGOT_MODEL_STRICT});
  const auto& found = item<ingot_symbol>(model.symbols, 2);
  EXPECT_EQ(found.flags, std::uint64_t{INGOT_SYMBOL_DATA_DEPENDENT});
  EXPECT_STREQ(found.bound, "k");
  const auto& variant = item<ingot_variant>(model.variants, 0);
  EXPECT_EQ(variant.flags, std::uint64_t{INGOT_VARIANT_OTHER_BITS});
  EXPECT_STREQ(variant.features, "avx512_bf16");
  EXPECT_TRUE(placed.is(variant.workspace_bytes, "workspace_v4"));
  EXPECT_EQ(item<ingot_tensor_info>(model.inputs, 0).strided_axes, 1U);
  EXPECT_TRUE(placed.is(model.costs, "costs"));
}

TEST(Descriptor, IsTheSameBytesEachTimeWithAddressesInOrder) {
  const ConstantBlob blob = make_descriptor(fake_interface());
  EXPECT_EQ(blob.name, "fake_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6");
  EXPECT_EQ(blob.bytes, make_descriptor(fake_interface()).bytes);
  EXPECT_EQ(blob.relocations, make_descriptor(fake_interface()).relocations);
  for (std::size_t i = 0; i < blob.relocations.size(); ++i) {
    const Relocation& relocation = blob.relocations[i];
    EXPECT_EQ(relocation.offset % 8, 0U);
    ASSERT_LE(relocation.offset + 8, blob.bytes.size());
    if (i > 0) {
      EXPECT_LT(blob.relocations[i - 1].offset, relocation.offset);
    }
    for (std::uint64_t byte = 0; byte < 8; ++byte) {
      EXPECT_EQ(blob.bytes[relocation.offset + byte], std::byte{0});
    }
  }
}

TEST(Descriptor, OfAModelWithNothingInItHasEmptyTables) {
  Interface from;
  from.name = "nothing";
  from.hash = std::string(32, '0');
  Placed placed(make_descriptor(from));
  EXPECT_EQ(placed.model().inputs.count, 0U);
  EXPECT_EQ(placed.model().inputs.items, nullptr);
  EXPECT_EQ(ingot_item(&placed.model().inputs, 0), nullptr);
  EXPECT_EQ(placed.model().weights, nullptr);
  EXPECT_STREQ(placed.model().signature, "");
}

TEST(Descriptor, ListNamesTheModels) {
  const std::vector<std::string> names = {"a_model", "b_model"};
  const ConstantBlob blob = make_model_list(names);
  EXPECT_EQ(blob.name, "ingot_models");
  Placed placed(blob);
  const auto& list = *reinterpret_cast<const ingot_model_list*>(placed.memory.data());
  EXPECT_EQ(list.struct_bytes, sizeof(ingot_model_list));
  EXPECT_EQ(list.abi_major, 1U);
  ASSERT_EQ(list.count, 2U);
  EXPECT_TRUE(placed.is(list.models[0], "a_model"));
  EXPECT_TRUE(placed.is(list.models[1], "b_model"));
}

}  // namespace
}  // namespace ingot::write
