# SPDX-License-Identifier: Apache-2.0
# ingot_add_model(TARGET MODEL FILE         or the folder of a SavedModel
#                 [NAME name]           of namespace and header; default: TARGET
#                 [DIMS N=4 n=1:64 ..]  pins or bounds symbols, as --dim
#                 [VARIANTS N=1 N=1,n=8 ..]   code of its own for these sizes, as --variant
#                 [SIGNATURES a b ..]   of a SavedModel: several become models of one object
#                 [INPUTS x=f32[N,8] ..] [CONSTANTS training=false ..] [OUTPUTS y ..]
#                 [ISA v3 v4 ..] [FLAGS ..]   other flags of `ingot compile`
#                 [SHARED])             also NAME.so, for programs that load models
#
# A static library with the compiled model. What links it may #include "NAME.h". It is made again when
# the model, a file that the model reads its weights from, or the compiler changes. Properties:
# INGOT_NAME, and INGOT_HEADER, INGOT_OBJECT, INGOT_MANIFEST and, with SHARED, INGOT_SHARED: paths.
cmake_policy(VERSION 3.20)

# Ends with a message that says what to do.
function(_ingot_refuse target text)
  message(FATAL_ERROR "ingot_add_model(${target}): ${text}")
endfunction()

function(ingot_add_model target)
  set(one MODEL NAME)
  set(many DIMS VARIANTS SIGNATURES INPUTS CONSTANTS OUTPUTS ISA FLAGS)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SHARED" "${one}" "${many}")
  if(arg_UNPARSED_ARGUMENTS)
    list(GET arg_UNPARSED_ARGUMENTS 0 first)
    list(JOIN many ", " words)
    _ingot_refuse(${target} "'${first}' is no argument; there are MODEL, NAME, ${words} and SHARED")
  endif()
  foreach(word IN LISTS arg_KEYWORDS_MISSING_VALUES)
    _ingot_refuse(${target} "nothing follows ${word}")
  endforeach()
  if(NOT DEFINED arg_MODEL)
    _ingot_refuse(${target} "there is no model; add MODEL and the path of an ONNX file or a frozen graph")
  endif()
  if(TARGET ${target})
    _ingot_refuse(${target} "there is a target of this name already; choose another one")
  endif()

  get_filename_component(model "${arg_MODEL}" ABSOLUTE)
  get_source_file_property(generated "${model}" GENERATED)
  set(depends "${model}")
  if(IS_DIRECTORY "${model}")
    set(depends "${model}/saved_model.pb")
    if(NOT EXISTS "${depends}")
      _ingot_refuse(${target} "${model} is a folder, and no SavedModel; name the model file in it")
    endif()
  elseif(NOT EXISTS "${model}" AND NOT generated)
    _ingot_refuse(${target} "there is no file ${model}; paths are relative to CMAKE_CURRENT_SOURCE_DIR")
  endif()

  if(DEFINED arg_NAME)
    set(name "${arg_NAME}")
  else()
    string(REGEX REPLACE "[^A-Za-z0-9]+" "_" name "${target}")
  endif()
  if(NOT name MATCHES "^[A-Za-z](_?[A-Za-z0-9])*$")
    _ingot_refuse(${target} "'${name}' cannot name a namespace; add NAME with letters, digits and \
single underscores, a letter first")
  endif()

  set(flags)
  foreach(dim IN LISTS arg_DIMS)
    if(NOT dim MATCHES "^[^=]+=[0-9]+(:[0-9]+)?$")
      _ingot_refuse(${target} "DIMS ${dim}: a symbol and its size or range is wanted, as N=4 or N=1:64")
    endif()
    list(APPEND flags --dim "${dim}")
  endforeach()
  foreach(variant IN LISTS arg_VARIANTS)
    if(NOT variant MATCHES "^[^=,]+=[0-9]+(,[^=,]+=[0-9]+)*$")
      _ingot_refuse(${target} "VARIANTS ${variant}: sizes are wanted, as N=1 or N=1,n=8")
    endif()
    list(APPEND flags --variant "${variant}")
  endforeach()
  if(DEFINED arg_SIGNATURES)
    string(REPLACE ";" "," signatures "${arg_SIGNATURES}")
    list(APPEND flags --signature "${signatures}")
  endif()
  foreach(input IN LISTS arg_INPUTS)
    list(APPEND flags --input "${input}")
  endforeach()
  foreach(constant IN LISTS arg_CONSTANTS)
    list(APPEND flags --constant "${constant}")
  endforeach()
  foreach(output IN LISTS arg_OUTPUTS)
    list(APPEND flags --outputs "${output}")
  endforeach()
  if(DEFINED arg_ISA)
    string(REPLACE ";" "," isa "${arg_ISA}")
    if(NOT isa MATCHES "^v[234](,v[234])*$")
      _ingot_refuse(${target} "ISA ${isa}: one or more of v2, v3 and v4 are wanted")
    endif()
    list(APPEND flags --isa "${isa}")
  endif()

  if(INGOT_EXECUTABLE)
    set(tool "${INGOT_EXECUTABLE}")
    set(tool_file "${INGOT_EXECUTABLE}")
  elseif(TARGET Ingot::tool)
    set(tool Ingot::tool)
    set(tool_file $<TARGET_FILE:Ingot::tool>)
  else()
    _ingot_refuse(${target} "the program `ingot` is not installed beside the CMake package; install it, \
or set INGOT_EXECUTABLE to its path")
  endif()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/ingot/${target}")
  set(object "${folder}/${name}.o")
  set(header "${folder}/${name}.h")
  set(manifest "${folder}/${name}.json")
  set(outputs "${object}" "${header}" "${manifest}")
  set(kinds obj)
  if(arg_SHARED)
    string(APPEND kinds ,so)
    set(shared "${folder}/${name}.so")
    list(APPEND outputs "${shared}")
  endif()
  file(MAKE_DIRECTORY "${folder}")
  get_filename_component(file_name "${model}" NAME)
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${tool} compile "${model}" --name "${name}" -o "${folder}" --emit ${kinds} ${flags}
            --depfile "${folder}/${name}.d" ${arg_FLAGS}
    DEPENDS "${depends}" "${tool_file}"
    DEPFILE "${folder}/${name}.d"
    COMMENT "Compiling the model ${file_name}"
    VERBATIM)

  # The object is the archive's one member; the other files are its sources so that whatever links the
  # target waits for them.
  add_library(${target} STATIC ${outputs})
  set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(CXX IN_LIST languages)
    set(language CXX)
    target_compile_features(${target} INTERFACE cxx_std_17)
  else()
    set(language C)
  endif()
  set_target_properties(${target} PROPERTIES
    LINKER_LANGUAGE ${language}
    PUBLIC_HEADER "${header}"
    INGOT_NAME "${name}"
    INGOT_HEADER "${header}"
    INGOT_OBJECT "${object}"
    INGOT_MANIFEST "${manifest}"
    INGOT_SHARED "${shared}")
  target_include_directories(${target} INTERFACE "$<BUILD_INTERFACE:${folder}>")
endfunction()
