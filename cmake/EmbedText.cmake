# SPDX-License-Identifier: Apache-2.0
# Text files of the repository that the compiler writes out again (the ABI header inside each
# generated header) become C++ string constants when the build is configured.

# ingot_embed_text(VARIABLE FILE...): for include/ingot/abi.h, writes a source file that defines
#   namespace ingot::embedded { extern const std::string_view abi_h; }
# and puts the list of these source files in VARIABLE. Files that do not exist are left out.
function(ingot_embed_text variable)
  set(sources)
  foreach(file ${ARGN})
    set(path ${CMAKE_SOURCE_DIR}/${file})
    if(NOT EXISTS ${path})
      continue()
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    get_filename_component(stem ${file} NAME)
    string(MAKE_C_IDENTIFIER ${stem} symbol)
    # As bytes, because a string literal's length is limited and a raw one can be closed by its text.
    file(READ ${path} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
                         "\\1\n" bytes "${bytes}")
    set(source ${CMAKE_BINARY_DIR}/embedded/${symbol}.cpp)
    file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
"// Generated from ${file}: its text, byte by byte.
#include <string_view>
namespace ingot::embedded {
namespace {
constexpr unsigned char bytes[] = {
@bytes@};
}  // namespace
extern const std::string_view @symbol@;
const std::string_view @symbol@{reinterpret_cast<const char*>(bytes), sizeof bytes};
}  // namespace ingot::embedded
")
    list(APPEND sources ${source})
  endforeach()
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()
