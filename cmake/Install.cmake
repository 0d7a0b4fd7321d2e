# SPDX-License-Identifier: Apache-2.0
# What is installed, and what find_package(Ingot) and pkg-config find: in an installed prefix, which
# may be moved, and, for CMake, in the build tree. Three components, one package each (Package.cmake).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(INGOT_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Ingot)

# ingot_install(COMPONENT SET TARGET NAME ...): targets as Ingot::NAME, in an export set of their own.
function(ingot_install component set)
  set(targets)
  while(ARGN)
    list(POP_FRONT ARGN target name)
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
    list(APPEND targets ${target})
  endwhile()
  install(TARGETS ${targets} EXPORT ${set}
          RUNTIME COMPONENT ${component}
          ARCHIVE COMPONENT ${component}
          LIBRARY COMPONENT ${component} NAMELINK_COMPONENT ${component})
  install(EXPORT ${set} NAMESPACE Ingot:: DESTINATION ${INGOT_CMAKE_DIR} COMPONENT ${component})
  export(EXPORT ${set} NAMESPACE Ingot:: FILE ${CMAKE_BINARY_DIR}/${set}.cmake)
endfunction()

# ingot_install_pc(COMPONENT NAME): NAME.pc, with paths relative to itself.
function(ingot_install_pc component name)
  file(RELATIVE_PATH INGOT_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" INGOT_PC_PREFIX ${INGOT_PC_PREFIX})
  configure_file(cmake/package/${name}.pc.in ${CMAKE_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
          COMPONENT ${component})
endfunction()

# Component dev: headers, loader, CMake functions.
ingot_install(dev IngotRuntimeTargets ingot_headers headers ingot_runtime runtime)
install(DIRECTORY include/ingot DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
        PATTERN compile.h EXCLUDE)
ingot_install_pc(dev ingot)
ingot_install_pc(dev ingot-runtime)

configure_file(cmake/package/IngotConfig.cmake ${CMAKE_BINARY_DIR}/IngotConfig.cmake COPYONLY)
configure_file(cmake/package/IngotAddModel.cmake ${CMAKE_BINARY_DIR}/IngotAddModel.cmake COPYONLY)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/IngotConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/IngotConfig.cmake ${CMAKE_BINARY_DIR}/IngotConfigVersion.cmake
              ${CMAKE_BINARY_DIR}/IngotAddModel.cmake
        DESTINATION ${INGOT_CMAKE_DIR} COMPONENT dev)

# Component tool: the program, and what it says of itself for man and for shells.
ingot_install(tool IngotToolTargets ingot tool)
set(pages)
function(ingot_page name folder)
  set(page ${CMAKE_BINARY_DIR}/share/${name})
  add_custom_command(OUTPUT ${page} COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/share
                     COMMAND ingot ${ARGN} > ${page} DEPENDS ingot VERBATIM)
  install(FILES ${page} DESTINATION ${folder} COMPONENT tool)
  set(pages ${pages} ${page} PARENT_SCOPE)
endfunction()
ingot_page(ingot.1 ${CMAKE_INSTALL_MANDIR}/man1 man)
ingot_page(ingot ${CMAKE_INSTALL_DATADIR}/bash-completion/completions completion bash)
ingot_page(_ingot ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions completion zsh)
add_custom_target(ingot_pages ALL DEPENDS ${pages})

# Component compiler: the library.
ingot_install(compiler IngotCompilerTargets ingot_library compiler)
install(FILES include/ingot/compile.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ingot
        COMPONENT compiler)
ingot_install_pc(compiler ingot-compiler)
