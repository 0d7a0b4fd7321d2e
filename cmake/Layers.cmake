# SPDX-License-Identifier: Apache-2.0
# Builds the folders of compiler/ as object libraries, so that LLVM's headers are seen by target/
# alone and the build enforces what compiler/layers.txt says about third-party libraries.

# ingot_compiler_library(NAME FRONT PLANNING): the static library of everything under compiler/, that
# of what reads models, and that of all stages before machine code. The latter two are built on demand.
function(ingot_compiler_library name front planning)
  set(objects)
  foreach(folder base ir ops import passes plan target write)
    if(folder STREQUAL passes)
      set(front_objects ${objects})
    elseif(folder STREQUAL target)
      set(planning_objects ${objects})
    endif()
    ingot_glob(sources compiler/${folder})
    if(folder STREQUAL write)
      list(APPEND sources ${INGOT_EMBEDDED})
    endif()
    if(NOT sources)
      continue()
    endif()
    set(library ingot_${folder})
    add_library(${library} OBJECT ${sources})
    ingot_compiler_flags(${library})
    list(APPEND objects $<TARGET_OBJECTS:${library}>)
    if(folder STREQUAL target)
      target_include_directories(${library} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${LLD_INCLUDE_DIRS})
      ingot_precompile(${library} <llvm/IR/DIBuilder.h> <llvm/IR/IRBuilder.h> <llvm/IR/Intrinsics.h>
                                  <llvm/IR/MDBuilder.h> <llvm/IR/Module.h>)
    elseif(folder STREQUAL import)
      target_link_libraries(${library} PRIVATE ingot_keras_flags)
      ingot_schema_library()
      if(TARGET ingot_schema)
        target_include_directories(${library} SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/schema)
        add_dependencies(${library} ingot_schema)
        list(APPEND objects $<TARGET_OBJECTS:ingot_schema>)
      endif()
    endif()
  endforeach()

  file(GLOB whole CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/compiler/*.cpp)
  list(FILTER whole EXCLUDE REGEX "(_test|_fuzz|_bench)\\.cpp$")
  if(NOT objects AND NOT whole)
    add_library(${name} INTERFACE)
    return()
  endif()
  ingot_archive(${name} ${objects} ${whole})
  target_link_libraries(${name} PUBLIC lldELF lldCommon LLVM)
  ingot_archive(${front} ${front_objects})
  ingot_archive(${planning} ${planning_objects})
  set_target_properties(${front} ${planning} PROPERTIES EXCLUDE_FROM_ALL ON)
endfunction()

function(ingot_archive name)
  add_library(${name} STATIC ${ARGN})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  ingot_compiler_flags(${name})
  target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR}/compiler
                                               ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${name} INTERFACE INGOT_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf fmt::fmt
                                       nlohmann_json::nlohmann_json ${XXHASH_LIBRARY}
                                       ${SNAPPY_LIBRARY} ${ISAL_LIBRARY} ${INGOT_KERAS_LIBRARIES})
endfunction()

function(ingot_compiler_flags library)
  target_include_directories(${library} PRIVATE ${CMAKE_SOURCE_DIR}/compiler
                                                ${CMAKE_SOURCE_DIR}/include)
  target_include_directories(${library} SYSTEM PRIVATE ${XXHASH_INCLUDE_DIR} ${SNAPPY_INCLUDE_DIR}
                                                       ${ISAL_INCLUDE_DIR})
  target_link_libraries(${library} PRIVATE ingot_flags fmt::fmt nlohmann_json::nlohmann_json)
  target_compile_definitions(${library} PRIVATE INGOT_VERSION="${PROJECT_VERSION}")
endfunction()

# Our own .proto files hold only what the importers read. compiler/import/onnx/onnx.proto becomes
# "import/onnx/onnx.pb.h".
function(ingot_schema_library)
  file(GLOB_RECURSE schemas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/compiler/import/*.proto)
  if(NOT schemas)
    return()
  endif()
  set(schema_dir ${CMAKE_BINARY_DIR}/schema)
  file(MAKE_DIRECTORY ${schema_dir})
  set(generated)
  foreach(schema ${schemas})
    file(RELATIVE_PATH stem ${CMAKE_SOURCE_DIR}/compiler ${schema})
    string(REGEX REPLACE "\\.proto$" "" stem ${stem})
    add_custom_command(
      OUTPUT ${schema_dir}/${stem}.pb.cc ${schema_dir}/${stem}.pb.h
      COMMAND protobuf::protoc --cpp_out=${schema_dir} -I${CMAKE_SOURCE_DIR}/compiler ${schema}
      DEPENDS ${schema} protobuf::protoc
      VERBATIM)
    list(APPEND generated ${schema_dir}/${stem}.pb.cc)
  endforeach()
  add_library(ingot_schema OBJECT ${generated})
  target_include_directories(ingot_schema PRIVATE ${schema_dir})
  target_link_libraries(ingot_schema PRIVATE protobuf::libprotobuf)
endfunction()
