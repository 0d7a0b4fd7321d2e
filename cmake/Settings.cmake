# SPDX-License-Identifier: Apache-2.0
# Language, warnings and floating-point rules, the same for every target and every preset.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(INGOT_SANITIZE "" CACHE STRING "sanitizers for every target, as in -fsanitize=")

# A compiler cache, where there is one. That it need not watch the macros of precompiled headers, which
# it cannot, is what ccache asks to be told before it takes them.
if(NOT CMAKE_CXX_COMPILER_LAUNCHER OR CMAKE_CXX_COMPILER_LAUNCHER STREQUAL "ccache")
  find_program(INGOT_CCACHE ccache)
  if(INGOT_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${INGOT_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
  endif()
endif()

# Assertions of the standard library and of LLVM's headers stay on: a compiler that is wrong is
# worse than one that is a little slower. Sanitizers double the code; -O1 builds in half the time.
if(INGOT_SANITIZE)
  set(CMAKE_C_FLAGS_RELEASE "-O1")
  set(CMAKE_CXX_FLAGS_RELEASE "-O1")
else()
  set(CMAKE_C_FLAGS_RELEASE "-O2")
  set(CMAKE_CXX_FLAGS_RELEASE "-O2")
endif()

# ingot_flags: what every target of ours is compiled with.
# No contraction: the interpreter is the meaning of a graph, to the bit.
add_library(ingot_flags INTERFACE)
# A designated initializer that leaves members to their defaults is what they have defaults for.
target_compile_options(ingot_flags INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers
                                             -ffp-contract=off)
if(INGOT_SANITIZE)
  add_compile_options(-fsanitize=${INGOT_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${INGOT_SANITIZE})
  # GCC's flow warnings are documented to be wrong on instrumented code.
  target_compile_options(ingot_flags INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
                                -Wno-mismatched-new-delete>)
endif()

# ingot_glob(VARIABLE FOLDER...): the .cpp files below the folders, without tests and fuzzers.
function(ingot_glob variable)
  set(found)
  foreach(folder ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
    list(APPEND found ${sources})
  endforeach()
  list(FILTER found EXCLUDE REGEX "(_test|_fuzz|_bench)\\.cpp$")
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

# ingot_glob_tests(VARIABLE FOLDER...): the unit tests below the folders.
function(ingot_glob_tests variable)
  set(found)
  foreach(folder ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*_test.cpp)
    list(APPEND found ${sources})
  endforeach()
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

# ingot_precompile(TARGET HEADER...): the headers given, and those that most files include, are read once
# and not once per file. Headers of others only, so that a change of one of ours rebuilds no more than
# what includes it. Clang does without, and so shows that each file includes what it needs.
function(ingot_precompile target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_precompile_headers(${target} PRIVATE
      <algorithm> <array> <bit> <charconv> <cmath> <cstdint> <cstdio> <cstring> <deque> <functional>
      <limits> <map> <memory> <numeric> <optional> <set> <span> <string> <string_view> <unordered_map>
      <utility> <variant> <vector> <fmt/format.h> ${ARGN})
  endif()
endfunction()
