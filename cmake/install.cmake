# What `cmake --install` puts where, in two components: `runtime` is the programs with their documents, scenarios and
# service; `development` is the CMake package `ethnet`: static libraries, headers, and the targets ethnet::chain,
# ethnet::session, … of find_package(ethnet). Headers lie below include/ethnet as below src/, so that a program
# includes them as the modules do: <chain/fork_choice/rule.hpp>.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(ETHNET_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/ethnet)
set(ETHNET_HEADER_DIR ${CMAKE_INSTALL_INCLUDEDIR}/ethnet)
set(ETHNET_DOC_DIR ${CMAKE_INSTALL_DATAROOTDIR}/doc/ethnet)

# One target of the package: ethnet::ID.
function(ethnet_export lib id)
  set_target_properties(${lib} PROPERTIES EXPORT_NAME ${id})
  target_include_directories(${lib} INTERFACE $<INSTALL_INTERFACE:${ETHNET_HEADER_DIR}>)
  install(TARGETS ${lib} EXPORT ethnetTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
    OBJECTS DESTINATION ${CMAKE_INSTALL_LIBDIR}/ethnet COMPONENT development)
endfunction()

# What everybody who links with us has to agree on; every target of the package depends on this one.
function(ethnet_export_options lib)
  target_compile_features(${lib} INTERFACE $<INSTALL_INTERFACE:cxx_std_23>)
  if(ETHNET_SANITIZE)
    target_compile_options(${lib} INTERFACE $<INSTALL_INTERFACE:-fsanitize=${ETHNET_SANITIZE}>)
    target_link_options(${lib} INTERFACE $<INSTALL_INTERFACE:-fsanitize=${ETHNET_SANITIZE}>)
  endif()
endfunction()

# The headers of src/, without those of tests and without the modules that the package leaves out.
function(ethnet_install_headers)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/src/*.hpp)
  list(FILTER headers EXCLUDE REGEX "^(observe|control|census)/|/testing/|_test\\.hpp$|/test_[^/]*$|^chain/naive_")
  foreach(header IN LISTS headers)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${CMAKE_SOURCE_DIR}/src/${header} DESTINATION ${ETHNET_HEADER_DIR}/${folder}
      COMPONENT development)
  endforeach()
endfunction()

function(ethnet_install_package)
  ethnet_install_headers()
  install(EXPORT ethnetTargets NAMESPACE ethnet:: DESTINATION ${ETHNET_PACKAGE_DIR} COMPONENT development)
  set(made ${CMAKE_BINARY_DIR}/package)
  configure_package_config_file(cmake/ethnetConfig.cmake.in ${made}/ethnetConfig.cmake
    INSTALL_DESTINATION ${ETHNET_PACKAGE_DIR})
  # Below 1.0 a minor version may change what a program calls.
  write_basic_package_version_file(${made}/ethnetConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${made}/ethnetConfig.cmake ${made}/ethnetConfigVersion.cmake
    DESTINATION ${ETHNET_PACKAGE_DIR} COMPONENT development)
endfunction()

function(ethnet_install_programs)
  install(TARGETS EthNetLite ethnet ethnet-sim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
  install(FILES README.md CHANGELOG.md LICENSE SECURITY.md DESTINATION ${ETHNET_DOC_DIR} COMPONENT runtime)
  install(FILES LICENSE DESTINATION ${ETHNET_DOC_DIR} COMPONENT runtime RENAME copyright)  # as Debian calls it
  # The programs made them: manual pages and completions (apps/CMakeLists.txt).
  install(DIRECTORY ${CMAKE_BINARY_DIR}/share/ DESTINATION ${CMAKE_INSTALL_DATAROOTDIR} COMPONENT runtime)
  install(DIRECTORY docs/ DESTINATION ${ETHNET_DOC_DIR}/docs COMPONENT runtime FILES_MATCHING PATTERN "*.md")
  install(DIRECTORY scenarios/ DESTINATION ${CMAKE_INSTALL_DATADIR}/ethnet/scenarios COMPONENT runtime
    FILES_MATCHING PATTERN "*.yaml" PATTERN expected EXCLUDE)
endfunction()
