#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What users' compilers and linkers say to a generated header: no warnings in any language mode, no
# other file needed, versions that meet, and a link error that explains itself.
# usage: header.sh ROOT WRITE_FAKE CXX CC
set -eu
root=$1 write_fake=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "header.sh: $*" >&2; exit 1; }

"$write_fake" fake.h
mkdir other && "$write_fake" other/fake.h 00112233445566778899aabbccddeeff
"$write_fake" nothing.h 3f9a70b1c2d4e5f60718293a4b5c6d7e empty
"$write_fake" two.h 3f9a70b1c2d4e5f60718293a4b5c6d7e two
# A header of a later version: another minor of the ABI, another face.
mkdir later
sed -e 's/ingot_abi_1_0/ingot_abi_1_1/g; s/INGOT_ABI_1_0/INGOT_ABI_1_1/g' \
    -e 's/INGOT_ABI_MINOR = 0/INGOT_ABI_MINOR = 1/' \
    -e 's/face_1/face_2/g; s/_1$/_2/; s/fake/later/g' \
    -e 's|^  void\* instance; .*|&\n  void* added_in_1_1;|' fake.h > later/later.h
grep -q added_in_1_1 later/later.h || fail "the later header was not made"

warnings="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wundef -Werror"
c_warnings="-Wall -Wextra -Wpedantic -Wconversion -Werror"

cat > use.cpp <<'END'
#include "fake.h"
#include <vector>
int use();
int use() {
  const fake::Model model;
  const std::vector<float> pixels(3);
  const bool mask[] = {true};
  std::vector<float> sums(2);
  std::int32_t classes[1];
  std::vector<std::byte> workspace(model.workspace_bytes({1, 2}));
  const auto status = model.run({1, 2}, {pixels, mask}, {sums, classes}, workspace);
  return status.ok() && model.self_test().ok() ? 0 : 1;
}
END
cat > main.cpp <<'END'
#include "fake.h"
#include "fake.h"
int use();
int main() { return use() + (fake::Model::descriptor().struct_bytes == 0); }
END
sed 's|int main.*|#include <ingot/face.h>\n#include "later.h"\n#include <ingot/abi.h>\n&|' main.cpp > versions.cpp
sed 's|^int main.*|int main() { return fake::compile_3f9a70b1c2d4e5f6::Model().ok() + fake::compile_0011223344556677::Model().ok(); }|; s|^#include "fake.h"$|&\n#include "other/fake.h"|' main.cpp > compiles.cpp
cat > nothing.cpp <<'END'
#include "nothing.h"
nothing::Status call(const nothing::Model& model);
nothing::Status call(const nothing::Model& model) {
  (void)nothing::Model::counts();
  std::byte workspace[64];
  return model.workspace_bytes() == 0 ? model.self_test() : model.run({}, {}, workspace);
}
END
# Two models in one header, beside one that has the name of one of them.
cat > two.cpp <<'END'
#include "fake.h"
#include "two.h"
#include "two.h"
two::class_::Status call(const two::fake::Model& a, const two::class_::Model& b, std::byte (&w)[64]);
two::class_::Status call(const two::fake::Model& a, const two::class_::Model& b, std::byte (&w)[64]) {
  const float x[3] = {};
  float y[2];
  bool mask[1] = {};
  std::int32_t classes[1];
  const auto status = b.run({x}, {y}, w);
  return status.ok() ? a.run({1, 2}, {x, mask}, {y, classes}, w) : status;
}
END
cat > designated.cpp <<'END'
#include "fake.h"
#include <span>
fake::Status call(const fake::Model& m, std::span<const float> p, std::span<bool> b,
                  std::span<float> s, std::span<std::int32_t> c, std::span<std::byte> w);
fake::Status call(const fake::Model& m, std::span<const float> p, std::span<bool> b,
                  std::span<float> s, std::span<std::int32_t> c, std::span<std::byte> w) {
  return m.run({.N = p.size() / 3, .k = 2}, {.pixels = p, .mask = b},
               {.dense_BiasAdd = s, .class_ = c}, w);
}
END
cat > use.c <<'END'
#include "fake.h"
#include "fake.h"
const char* name(void);
const char* name(void) { return fake_model()->name; }
END
printf '#include "fake.h"\n#include "two.h"\nconst char* name(void);\nconst char* name(void) { return two_class_model()->name != 0 ? two_fake_model()->name : fake_model()->name; }\n' > both.c
printf '#include <ingot/abi.h>\n#include "fake.h"\nconst char* name(void);\nconst char* name(void) { return fake_model()->hash; }\n' > beside.c

compilers="$3:$4"
command -v clang++-19 > /dev/null && compilers="$compilers clang++-19:clang-19"
for pair in $compilers; do
  cxx=${pair%%:*} cc=${pair##*:}
  for standard in 17 20; do
    # Without -I of ours: the header must do alone.
    for file in use main compiles nothing two; do
      $cxx -std=c++$standard -O2 $warnings -fno-exceptions -fno-rtti -I. -c $file.cpp -o $file.o
    done
    $cxx -std=c++$standard -O2 $warnings -I. -Ilater -I"$root/include" -fsyntax-only versions.cpp
  done
  $cxx -std=c++20 $warnings -I. -fsyntax-only designated.cpp
  $cc -std=c99 $c_warnings -I. -fsyntax-only use.c
  $cc -std=c99 $c_warnings -I. -fsyntax-only both.c
  $cc -std=c11 $c_warnings -I. -I"$root/include" -fsyntax-only beside.c
  echo '#include <ingot/abi.h>' | $cc -xc -std=c99 $c_warnings -I"$root/include" -fsyntax-only -
  for header in abi span cpu self_test face; do
    echo "#include <ingot/$header.h>" |
      $cxx -xc++ -std=c++17 $warnings -I"$root/include" -fsyntax-only -
  done

  # Two units and the model's object make a program that runs.
  $cxx -std=c++20 -I"$root/include" -c "$root/tests/abi/fake_model.cpp" -o fake.o
  $cxx main.o use.o fake.o -o program
  ./program || fail "$cxx: the program with two units failed"

  # Nothing of the header runs before main, and none of its names can clash: all are weak or local.
  if nm use.o | grep -E '_GLOBAL__sub_I| [BDu] ' | grep -v fake_header; then
    fail "$cxx: the header has a static initialiser or unique data"
  fi

  # A header of another compile does not link, and the linker's line says why.
  cp use.cpp main.cpp other/
  if $cxx -std=c++17 other/use.cpp other/main.cpp fake.o -o wrong 2> message; then
    fail "$cxx: a header linked with the object of another compile"
  fi
  grep -q 'fake_header_and_object_are_from_one_ingot_compile_0011223344556677' message ||
    fail "$cxx: the linker did not name the compile"
done
echo "header.sh: generated headers compile, link and refuse as they should ($compilers)"
