# SPDX-License-Identifier: Apache-2.0
# What find_package(Ingot) reads, in an installed prefix as in a build tree.
#
#   Ingot::headers    <ingot/...>: the C ABI and the C++ face of compiled models
#   Ingot::runtime    <ingot/load.h>: loads NAME.so
#   Ingot::tool       the program `ingot`
#   ingot_add_model() makes a library of a model; IngotAddModel.cmake says how
#
# The tool is a package of its own: find_package(Ingot COMPONENTS tool) asks for it. Without it
# ingot_add_model() takes the program that INGOT_EXECUTABLE names.
if(CMAKE_VERSION VERSION_LESS 3.20)
  set(Ingot_FOUND FALSE)
  set(Ingot_NOT_FOUND_MESSAGE "Ingot needs CMake 3.20 or newer; this is ${CMAKE_VERSION}")
  return()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/IngotRuntimeTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/IngotToolTargets.cmake OPTIONAL)
include(${CMAKE_CURRENT_LIST_DIR}/IngotAddModel.cmake)

set(Ingot_runtime_FOUND TRUE)
set(Ingot_tool_FOUND ${INGOT_EXECUTABLE})
if(TARGET Ingot::tool)
  set(Ingot_tool_FOUND TRUE)
endif()
foreach(component IN LISTS Ingot_FIND_COMPONENTS)
  if(Ingot_FIND_REQUIRED_${component} AND NOT Ingot_${component}_FOUND)
    set(Ingot_FOUND FALSE)
    if(component STREQUAL "tool")
      set(Ingot_NOT_FOUND_MESSAGE
          "the program `ingot` is not installed beside it; install it, or set INGOT_EXECUTABLE")
    else()
      set(Ingot_NOT_FOUND_MESSAGE
          "it has no component '${component}'; there are runtime and tool")
    endif()
  endif()
endforeach()
