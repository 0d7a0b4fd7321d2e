# SPDX-License-Identifier: Apache-2.0
# ingot_revision(TARGET): TARGET may include "revision.h", in which INGOT_REVISION is what git calls
# the sources at the time of the build ("none" outside of a checkout).
if(CMAKE_SCRIPT_MODE_FILE)
  set(revision none)
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=10 --match=v*
                  OUTPUT_VARIABLE said OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(said)
    set(revision ${said})
  endif()
  file(CONFIGURE OUTPUT ${HEADER} CONTENT "#define INGOT_REVISION \"${revision}\"\n")
  return()
endif()

function(ingot_revision target)
  set(header ${CMAKE_BINARY_DIR}/revision/revision.h)
  add_custom_target(ingot_revision BYPRODUCTS ${header}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DHEADER=${header}
            -P ${CMAKE_SOURCE_DIR}/cmake/Revision.cmake
    VERBATIM)
  add_dependencies(${target} ingot_revision)
  target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/revision)
endfunction()
