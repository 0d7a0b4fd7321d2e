# SPDX-License-Identifier: Apache-2.0
# Debian packages, one per component of Install.cmake, by `cpack` in the build folder. What the tool
# and the library need at run time is found by dpkg-shlibdeps.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ingot)
set(CPACK_PACKAGE_CONTACT "The Ingot project <maintainers@ingot.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)

# ingot_package(COMPONENT PACKAGE SECTION DESCRIPTION): the first line of a description is a summary.
macro(ingot_package component package section description)
  string(TOUPPER ${component} INGOT_COMPONENT)
  list(APPEND CPACK_COMPONENTS_ALL ${component})
  set(CPACK_COMPONENT_${INGOT_COMPONENT}_DESCRIPTION "${description}")
  set(CPACK_DEBIAN_${INGOT_COMPONENT}_PACKAGE_NAME ${package})
  set(CPACK_DEBIAN_${INGOT_COMPONENT}_PACKAGE_SECTION ${section})
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} RENAME copyright
          COMPONENT ${component})
endmacro()

ingot_package(tool ingot devel "Casts a trained neural network into an object file and a header
The compiler reads ONNX and frozen TensorFlow graphs. What it writes needs no framework and no
library: a C++ program includes the header, links the object and calls the model.")
ingot_package(dev libingot-dev libdevel "Headers, loader and build files for models compiled by Ingot
The C ABI and the C++ face of compiled models, a static library that loads them at run time, and
packages for CMake and pkg-config.")
ingot_package(compiler libingot-compiler-dev libdevel "The Ingot compiler as a library
Compiles trained neural networks in the process that calls them.")
set(version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
set(CPACK_DEBIAN_TOOL_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPILER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPILER_PACKAGE_DEPENDS "libingot-dev (= ${version})")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "ingot (= ${version}), cmake, pkg-config")
include(CPack)
