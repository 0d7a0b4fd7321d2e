// SPDX-License-Identifier: Apache-2.0
// The text form: exact round trips of numbers and graphs, and errors that name the place.
#include "ir/text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "ir/literal.h"
#include "ir/op.h"

namespace ingot {
namespace {

constexpr PrintOptions in_full{.constants_in_full = true};

std::string error_of(std::string_view text) {
  auto graph = parse_graph(text);
  return graph ? "no error, but\n" + print(*graph) : graph.error().message;
}

std::string in_graph(std::string_view statements) {
  return "graph \"g\" fused {\n" + std::string(statements) + "\n}\n";
}

// All bits of all constants, names, types, attributes: whatever print shows.
void expect_round_trip(const Graph& graph) {
  const std::string text = print(graph, in_full);
  auto again = parse_graph(text);
  ASSERT_TRUE(again) << again.error().message << "\n" << text;
  EXPECT_EQ(print(*again, in_full), text);
  ASSERT_EQ(again->value_count(), graph.value_count());
  for (std::uint32_t i = 0; i < graph.value_count(); ++i) {
    const ValueId id{i};
    EXPECT_EQ(again->type(id), graph.type(id));
    ASSERT_EQ(again->is_constant(id), graph.is_constant(id));
    if (graph.is_constant(id)) {
      EXPECT_EQ(again->constant(id), graph.constant(id));
    }
  }
  ASSERT_EQ(again->nodes().size(), graph.nodes().size());
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    EXPECT_EQ(again->nodes()[i].op, graph.nodes()[i].op);
    EXPECT_EQ(again->nodes()[i].inputs, graph.nodes()[i].inputs);
    EXPECT_EQ(again->nodes()[i].outputs, graph.nodes()[i].outputs);
    EXPECT_EQ(again->nodes()[i].name, graph.nodes()[i].name);
    EXPECT_EQ(again->nodes()[i].attributes, graph.nodes()[i].attributes);
  }
  EXPECT_EQ(again->symbols(), graph.symbols());
  EXPECT_EQ(again->constraints(), graph.constraints());
}

TEST(Text, PrintsWhatTheHeaderShows) {
  Graph graph;
  graph.name = "small \"net\"";
  graph.declare_symbol("N", {0, 100});
  graph.declare_symbol("M", {1, 50});
  const ValueId x = graph.add_input("x", {DType::f32, {Dim::symbol("N"), 2}});
  const ValueId y = graph.add_input("y\n", {DType::f32, {Dim::symbol("M"), 2}});
  Tensor two = Tensor::scalar(DType::f32, 2.0f);
  const ValueId scale = graph.add_constant(two);
  const ValueId sum = *graph.add("add", {x, y}, {}, "layer/Add");
  const ValueId product = *graph.add("mul", {sum, scale});
  const ValueId total = *graph.add("reduce_sum", {product},
                                   {{"axes", std::vector<std::int64_t>{1}},
                                    {"keep_dims", false},
                                    {"order", std::string("lanes")}});
  graph.add_output("total", total);
  EXPECT_EQ(print(graph),
            R"ir(graph "small \"net\"" fused {
  symbol N in [0, 100]
  symbol M in [1, 50]
  require N == M "node 'layer/Add' (add)"
  %0: f32[N, 2] = input "x"
  %1: f32[M, 2] = input "y\n"
  %2: f32[] = constant {2}
  %3: f32[N, 2] = add(%0, %1) "layer/Add"
  %4: f32[N, 2] = mul(%3, %2)
  %5: f32[N] = reduce_sum(%4) {axes = [1], keep_dims = false, order = "lanes"}
  return "total" = %5
}
)ir");
  expect_round_trip(graph);
}

TEST(Text, EveryKindOfConstantRoundTrips) {
  Graph graph;
  std::mt19937_64 random(1);
  for (int number = 1; number <= 13; ++number) {
    const auto dtype = static_cast<DType>(number);
    for (const std::int64_t count : {0, 1, 3, 16, 17, 100}) {
      Tensor tensor(dtype, {count});
      for (std::byte& byte : tensor.mutable_bytes()) {
        byte = static_cast<std::byte>(random() & (dtype == DType::boolean ? 1 : 0xff));
      }
      graph.add_constant(tensor);
      if (count > 1) {
        graph.add_constant(Tensor::splat(dtype, {count}, tensor.bytes().first(bytes_of(dtype))));
      }
    }
  }
  expect_round_trip(graph);
}

TEST(Text, SpecialFloatsKeepTheirBits) {
  Graph graph;
  Tensor floats(DType::f32, {14});
  std::int64_t i = 0;
  for (const std::uint32_t bits :
       {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0x7fffffffu, 0x7f800000u, 0xff800000u, 0x80000000u,
        0u, 1u, 0x007fffffu, 0x00800000u, 0x7f7fffffu, 0x3dcccccdu, 0x4b800000u}) {
    floats.set(i++, bits);
  }
  graph.add_constant(floats);
  Tensor doubles(DType::f64, {4});
  i = 0;
  for (const std::uint64_t bits :
       {0x7ff8000000000000u, 0xfff0000000000001u, 1ul, 0x8000000000000000u}) {
    doubles.set(i++, bits);
  }
  graph.add_constant(doubles);
  expect_round_trip(graph);
  EXPECT_NE(print(graph).find("{nan, nan(0xffc00000), nan(0x7f800001), nan(0x7fffffff), inf, -inf, "
                              "-0, 0, 1e-45,"),
            std::string::npos)
      << print(graph);
}

TEST(Text, EverySixteenBitFloatRoundTrips) {
  for (const DType dtype : {DType::f16, DType::bf16}) {
    Tensor element(dtype, {});
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
      element.set(0, static_cast<std::uint16_t>(bits));
      const std::string text = element_str(element, 0);
      Tensor again(dtype, {});
      ASSERT_TRUE(parse_element(text, again, 0)) << text;
      ASSERT_EQ(again, element) << text;
    }
  }
}

TEST(Text, RealsAreNoIntegers) {
  EXPECT_EQ(real_str(1), "1.0");
  EXPECT_EQ(real_str(0.1), "0.1");
  EXPECT_EQ(real_str(1e300), "1e+300");
  EXPECT_EQ(real_str(-0.0), "-0.0");
  EXPECT_EQ(real_str(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(*parse_real("0.1"), 0.1);
  EXPECT_TRUE(std::isnan(*parse_real(real_str(std::numeric_limits<double>::quiet_NaN()))));
}

TEST(Text, NumbersThatDoNotFitAreErrors) {
  auto error = [](DType dtype, std::string_view text) {
    Tensor tensor(dtype, {});
    auto parsed = parse_element(text, tensor, 0);
    return parsed ? "no error" : parsed.error().message;
  };
  EXPECT_EQ(error(DType::i8, "128"), "'128' is beyond the range of i8");
  EXPECT_EQ(error(DType::u8, "-1"), "'-1' is not u8");
  EXPECT_EQ(error(DType::f16, "65520"), "'65520' is beyond the range of f16");
  EXPECT_EQ(error(DType::f16, "65519"), "no error");
  EXPECT_EQ(error(DType::f32, "1e39"), "'1e39' is beyond the range of f32");
  EXPECT_EQ(error(DType::f32, "1.5x"), "'1.5x' is not f32");
  EXPECT_EQ(error(DType::f32, "infinity"), "'infinity' is not f32");
  EXPECT_EQ(error(DType::f32, "nan(0x7f800000)"), "'nan(0x7f800000)' is not a nan of this type");
  EXPECT_EQ(error(DType::f32, "nan(0x17fc00000)"),
            "'nan(0x17fc00000)' is beyond the range of this type's nans");
  EXPECT_EQ(error(DType::f32, "nan(0x)"), "'' is not the bits of a nan");
  EXPECT_EQ(error(DType::boolean, "1"), "'1' is not true or false");
  EXPECT_EQ(error(DType::i32, ""), "'' is not i32");
}

TEST(Text, ReadersMayChooseNamesAndLeaveOutTypes) {
  auto graph = parse_graph(R"ir(
    ; A comment, and a graph as a person would write it.
    graph "g" strict {
      symbol N in [1, 8]
      %x: f32[N, 4] = input "x"   ; another
      %half: float32[] = constant splat 0.5
      %no: f32[2] = constant {nan , nan
      }
      %y = mul(%x, %half) %z = neg(%y)
      return "z" = %z
    })ir");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->arithmetic, Arithmetic::strict);
  EXPECT_EQ(print(*graph), R"ir(graph "g" strict {
  symbol N in [1, 8]
  %0: f32[N, 4] = input "x"
  %1: f32[] = constant {0.5}
  %2: f32[2] = constant splat nan
  %3: f32[N, 4] = mul(%0, %1)
  %4: f32[N, 4] = neg(%3)
  return "z" = %4
}
)ir");
}

TEST(Text, LargeConstantsPrintAsAHashThatCannotBeReadBack) {
  Graph graph;
  graph.name = "g";
  Tensor tensor(DType::f32, {17});
  tensor.set(3, 1.0f);
  graph.add_constant(tensor);
  const std::string text = print(graph);
  EXPECT_NE(text.find(fmt::format("constant #{:016x}", tensor.hash())), std::string::npos) << text;
  EXPECT_EQ(
      error_of(text),
      "line 2, column 26: only the hash of this constant was printed; print with constants in "
      "full");
  expect_round_trip(graph);
}

TEST(Text, ErrorsNameThePlace) {
  EXPECT_EQ(error_of(""), "line 1, column 1: expected 'graph', found the end");
  EXPECT_EQ(error_of("graph g"),
            "line 1, column 7: expected a string in double quotes, found \"g\"");
  EXPECT_EQ(error_of("graph \"g"),
            "line 1, column 9: expected '\"' at the end of a string, found the end");
  EXPECT_EQ(error_of("graph \"g\" {"),
            "line 1, column 11: expected 'fused' or 'strict', found \"{\"");
  EXPECT_EQ(error_of("graph \"g\" fused {"),
            "line 1, column 18: expected '%', 'symbol', 'require', 'return' or '}', found the end");
  EXPECT_EQ(error_of(in_graph("} x")), "line 2, column 3: expected the end, found \"x\"");
  EXPECT_EQ(error_of(in_graph("%0: f33[] = input \"x\"")),
            "line 2, column 5: expected an element type such as f32, found \"f33\"");
  EXPECT_EQ(error_of(in_graph("%0: f32[N] = input \"x\"")),
            "line 2, column 9: symbol N is not declared; write 'symbol N in [0, 100]' above");
  EXPECT_EQ(error_of(in_graph("%0: f32[2*] = input \"x\"")),
            "line 2, column 9: dimension '2*': expected a number, a symbol or '(' at column 3");
  EXPECT_EQ(error_of(in_graph("%0: f32[-1] = input \"x\"")),
            "line 2, column 8: dimension -1 is negative");
  EXPECT_EQ(error_of(in_graph("%0 = input \"x\"")),
            "line 2, column 6: expected one value with a type before '= input'");
  EXPECT_EQ(error_of(in_graph("%0: f32[1] = input \"x\"\n%0: f32[1] = input \"y\"")),
            "line 3, column 1: %0 is defined twice");
  EXPECT_EQ(error_of(in_graph("%0 = neg(%1)")), "line 2, column 10: %1 is not defined yet");
  EXPECT_EQ(error_of(in_graph("return \"x\" = %1")), "line 2, column 14: %1 is not defined yet");
  EXPECT_EQ(error_of(in_graph("%0 = frobnicate()")), "line 2, column 6: no op 'frobnicate'");
  EXPECT_EQ(error_of(in_graph("%0 = ()")),
            "line 2, column 6: expected an op, 'input' or 'constant', found \"()\"");
  EXPECT_EQ(error_of(in_graph("%0: i32[2] = constant {1}")),
            "line 2, column 23: 1 elements given for i32[2]");
  EXPECT_EQ(error_of(in_graph("%0: i32[2] = constant {1, x}")),
            "line 2, column 27: 'x' is not i32");
  EXPECT_EQ(error_of(in_graph("%0: i32[1] = constant hex \"0000\"")),
            "line 2, column 23: 2 bytes given for i32[1]");
  EXPECT_EQ(error_of(in_graph("%0: i32[1] = constant hex \"00zz\"")),
            "line 2, column 23: expected pairs of hexadecimal digits");
  EXPECT_EQ(error_of(in_graph("%0: bool[1] = constant hex \"02\"")),
            "line 2, column 24: a bool is 00 or 01");
  EXPECT_EQ(error_of(in_graph("symbol N in [0, 4]\n%0: i32[N] = constant {}")),
            "line 3, column 1: a constant cannot have symbols in its shape");
  EXPECT_EQ(error_of(in_graph("symbol N in [4, 0]")), "line 2, column 8: the range of N is empty");
  EXPECT_EQ(error_of(in_graph("symbol N in [0, 4]\nsymbol N in [0, 4]")),
            "line 3, column 8: symbol N is declared twice");
  EXPECT_EQ(error_of(in_graph("symbol N in [0, 4]\nrequire N >= 9 \"op\"")),
            "line 3, column 9: op: N >= 9 does not hold");
}

TEST(Text, ErrorsOfNodesNameThePlace) {
  const std::string input = "%0: f32[2] = input \"x\"\n";
  EXPECT_EQ(error_of(in_graph(input + "%1: f32[3] = neg(%0)")),
            "line 3, column 1: %1 is f32[2], not f32[3]");
  EXPECT_EQ(error_of(in_graph(input + "%1, %2 = neg(%0)")),
            "line 3, column 10: 'neg' gives 1 values, not 2");
  EXPECT_EQ(error_of(in_graph(input + "%1 = cast(%0) {to = 5}")),
            "line 3, column 21: expected an element type such as f32, found \"5\"");
  EXPECT_EQ(error_of(in_graph(input + "%1 = cast(%0) {from = f16}")),
            "line 3, column 16: op 'cast' has no attribute 'from'");
  EXPECT_EQ(error_of(in_graph(input + "%1 = cast(%0) {to = f16, to = f16}")),
            "line 3, column 26: attribute 'to' is given twice");
  EXPECT_EQ(error_of(in_graph(input + "%1 = cast(%0)")).substr(0, 17), "line 3, column 6:");
  EXPECT_EQ(error_of(in_graph(input + "%1 = iota() {shape = [3], axis = 0.5, dtype = i32}")),
            "line 3, column 34: '0.5' is not an integer");
}

// What a person, a disk or an attacker may make of a text: parsed or refused, nothing else.
TEST(Text, MutilatedTextIsRefusedOrRead) {
  const std::string text = R"ir(graph "g" fused {
  symbol N in [0, 100]
  symbol k in [1, 9]
  require N >= k + 1 "reason"
  %0: f32[N, 2*k] = input "x"
  %1: f32[2] = constant {0.5, nan(0x7fc00001)}
  %2: i64[100] = constant splat -3
  %3: bool[2, 3] = constant hex "000101000100"
  %4: i64[N, floor_div(k, 2)] = iota() {axis = 0, dtype = i64, shape = [N, floor_div(k, 2)]}
  %5: f32[2*N*k] = reshape(%0) {shape = [2*N*k]} "flat\x41"
  %6: f32[2*k, N] = transpose(%0) {perm = [1, 0]}
  return "y" = %5
}
)ir";
  const std::string_view pieces[] = {
      "N", "[",   "]",      "%0",     "%6",       "{",     "}",
      "(", ")",   "\"",     ",",      "=",        "-",     "9223372036854775807",
      "*", "neg", "matmul", "concat", "f16",      "slice", "1",
      "0", "\\x", ";",      "\n",     "broadcast"};
  ASSERT_TRUE(parse_graph(text)) << error_of(text);
  int read = 0;
  for (unsigned seed = 0; seed < 4'000; ++seed) {
    std::mt19937 random(seed);
    std::string mutated = text;
    for (unsigned changes = random() % 4 + 1; changes > 0; --changes) {
      const std::size_t at = random() % mutated.size();
      const std::size_t length = std::min<std::size_t>(random() % 8, mutated.size() - at);
      switch (random() % 4) {
        case 0:
          mutated.erase(at, length);
          break;
        case 1:
          mutated.insert(at, pieces[random() % std::size(pieces)]);
          break;
        case 2:
          mutated[at] = static_cast<char>(random());
          break;
        default:
          mutated.replace(at, length, pieces[random() % std::size(pieces)]);
      }
      if (mutated.empty()) mutated = "g";
    }
    auto graph = parse_graph(mutated);
    if (graph) {
      ++read;
      const std::string printed = print(*graph, in_full);
      auto again = parse_graph(printed);
      ASSERT_TRUE(again) << again.error().message << "\n" << printed;
      ASSERT_EQ(print(*again, in_full), printed);
    }
  }
  EXPECT_GT(read, 50);
}

}  // namespace
}  // namespace ingot
