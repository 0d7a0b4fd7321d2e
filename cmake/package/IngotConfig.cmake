# SPDX-License-Identifier: Apache-2.0
# What find_package(Ingot) reads, in an installed prefix as in a build tree.
#
#   Ingot::headers    <ingot/...>: the C ABI and the C++ face of compiled models
#   Ingot::runtime    <ingot/load.h>: loads NAME.so
#   Ingot::compiler   <ingot/compile.h>: compiles models in the program that calls them
#   Ingot::tool       the program `ingot`
#   ingot_add_model() makes a library of a model; IngotAddModel.cmake says how
#
# Components: runtime, which is always there (headers, loader), tool and compiler. Without the tool
# ingot_add_model() takes the program that INGOT_EXECUTABLE names.
if(CMAKE_VERSION VERSION_LESS 3.20)
  set(Ingot_FOUND FALSE)
  set(Ingot_NOT_FOUND_MESSAGE "Ingot needs CMake 3.20 or newer; this is ${CMAKE_VERSION}")
  return()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/IngotRuntimeTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/IngotToolTargets.cmake OPTIONAL)
include(${CMAKE_CURRENT_LIST_DIR}/IngotCompilerTargets.cmake OPTIONAL)
include(${CMAKE_CURRENT_LIST_DIR}/IngotAddModel.cmake)

foreach(component IN LISTS Ingot_FIND_COMPONENTS)
  set(Ingot_${component}_FOUND FALSE)
  if(TARGET Ingot::${component} OR (component STREQUAL "tool" AND INGOT_EXECUTABLE))
    set(Ingot_${component}_FOUND TRUE)
  elseif(Ingot_FIND_REQUIRED_${component})
    set(Ingot_FOUND FALSE)
    if(component STREQUAL "tool")
      set(Ingot_NOT_FOUND_MESSAGE
          "the program `ingot` is not installed beside it; install it, or set INGOT_EXECUTABLE")
    elseif(component STREQUAL "compiler")
      set(Ingot_NOT_FOUND_MESSAGE "the library libingot_compiler.so is not installed beside it")
    else()
      set(Ingot_NOT_FOUND_MESSAGE
          "it has no component '${component}'; there are runtime, tool and compiler")
    endif()
  endif()
endforeach()
