#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Checks who includes whom: every #include line of the C++ sources against compiler/layers.txt, and
# that each third-party library is seen by its one folder only. Prints file:line and the rule.
# usage: tests/layering.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"

files() {
  find include compiler runtime tools -name '*.h' -o -name '*.cpp' -o -name '*.inc' 2>/dev/null | sort
}

files | xargs -r awk -v layers=compiler/layers.txt '
  function complain(rule) {
    printf "%s:%d: includes %s: %s\n", FILENAME, FNR, name, rule
    bad = 1
  }
  # A header by its include name, in quotes or not, belongs to the folder before its first slash.
  function folder_of(path) { return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : "" }

  BEGIN {
    while ((getline line < layers) > 0) {
      if (line ~ /^#/ || line ~ /^[ \t]*$/) continue
      split(line, part, ":")
      known[part[1]] = 1
      allowed[part[1], part[1]] = 1
      count = split(part[2], names, " ")
      for (i = 1; i <= count; i++) allowed[part[1], names[i]] = 1
    }
    close(layers)
    standard_c = "^(assert|complex|ctype|cpuid|dlfcn|elf|errno|fcntl|fenv|float|immintrin|inttypes|limits|link|math|pthread|sched|setjmp|signal|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings|time|unistd|wchar|xmmintrin)[.]h$"
  }
  FNR == 1 {
    checked++
    top = folder_of(FILENAME)
    rest = substr(FILENAME, length(top) + 2)
    layer = top == "compiler" ? folder_of(rest) : ""
    is_test = FILENAME ~ /_(test|fuzz|bench)\.cpp$/
    if (layer != "" && !(layer in known)) {
      printf "%s:1: the folder compiler/%s is not in %s\n", FILENAME, layer, layers
      bad = 1
    }
  }
  /^[ \t]*#[ \t]*include[ \t]*["<]/ {
    quoted = $0 ~ /include[ \t]*"/
    name = $0
    sub(/^[^"<]*["<]/, "", name)
    sub(/[">].*$/, "", name)
    folder = folder_of(name)

    if (name ~ /^(compiler|include)\// || name ~ /^\.\.?\// || name ~ /\/\.\.\//)
      complain("paths are relative to compiler/ (\"ir/graph.h\") or to the root (\"tools/options.h\")")
    if (folder ~ /^(llvm|llvm-c|lld)$/ && layer != "target")
      complain("LLVM is seen by compiler/target alone")
    # The networks of the study are written with the schemas that import/ reads by.
    if ((name ~ /^google\/protobuf\// || name ~ /\.pb\.h$/) && layer != "import" && FILENAME !~ /tools\/bench\/study_/)
      complain("protobuf is seen by compiler/import and tools/bench/study_* alone")
    if (layer != "" && folder ~ /^(tools|runtime)$/ && !is_test)
      complain("compiler/ includes nothing of " folder "/")
    if (layer != "" && folder in known && !((layer, folder) in allowed))
      complain("compiler/" layer " may not include compiler/" folder " (" layers ")")
    if (quoted && layer != "" && folder != "" && !(folder in known) && folder !~ /^(tools|runtime|tests)$/)
      complain("\"" folder "/\" is no folder of compiler/")
    # A file of the same folder is named in full, so that moving a file is a search and replace.
    if (quoted && folder == "" && layer != "" && name !~ /\.inc$/)
      complain("name the folder, as in \"ir/graph.h\"")

    if ((top == "runtime" || top == "include") && !is_test) {
      own = name ~ /^ingot\// || (top == "runtime" && folder == "runtime") || (top == "include" && quoted && folder == "")
      is_standard = !quoted && (folder == "sys" || (folder == "" && (name !~ /\./ || name ~ standard_c)))
      if (!own && !is_standard) complain(top "/ may include <ingot/...> and the standard library only")
    }
  }
  END {
    if (!bad) printf "layering: %d files keep to %s\n", checked, layers
    exit bad
  }'
