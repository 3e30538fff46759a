include(GoogleTest)

# ethnet_module(NAME session
#   SOURCES hello.cpp ...        the library ethnet_<NAME>
#   [DEPS base types ...]        other modules (public)
#   [LINK OpenSSL::Crypto ...]   third-party, private
#   [PUBLIC_LINK ...]            third-party, public
#   [EDGE]                       exceptions allowed, no -Wunsafe-buffer-usage (runtime, observe)
#   [NOT_EXPORTED]               no part of the package that other programs find (cmake/install.cmake)
#   [TESTS hello_test.cpp ...]   the binary <NAME>_test, one ctest case a gtest case
#   [TEST_DEPS ...] [TEST_LINK ...])
# Names with a slash (transport/quic) become transport_quic.
function(ethnet_module)
  cmake_parse_arguments(M "EDGE;NOT_EXPORTED" "NAME" "SOURCES;DEPS;LINK;PUBLIC_LINK;TESTS;TEST_DEPS;TEST_LINK" ${ARGN})
  string(REPLACE "/" "_" id "${M_NAME}")
  set(lib ethnet_${id})
  list(TRANSFORM M_DEPS PREPEND ethnet_)
  add_library(${lib} STATIC ${M_SOURCES})
  target_include_directories(${lib} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>)
  if(M_EDGE)
    target_link_libraries(${lib} PRIVATE $<BUILD_INTERFACE:ethnet_edge_options>)
  else()
    target_link_libraries(${lib} PRIVATE $<BUILD_INTERFACE:ethnet_core_options>)
  endif()
  target_link_libraries(${lib} PUBLIC ${M_DEPS} ${M_PUBLIC_LINK} PRIVATE ${M_LINK})
  if(NOT M_NOT_EXPORTED)
    ethnet_export(${lib} ${id})
  endif()
  if(M_TESTS)
    ethnet_test(NAME ${id}_test SOURCES ${M_TESTS} DEPS ${M_NAME} ${M_TEST_DEPS} LINK ${M_TEST_LINK})
  endif()
endfunction()

# ethnet_test(NAME base_test SOURCES ... DEPS base ... [LINK ...] [LABELS process])
function(ethnet_test)
  cmake_parse_arguments(T "" "NAME" "SOURCES;DEPS;LINK;LABELS" ${ARGN})
  list(TRANSFORM T_DEPS REPLACE "/" "_")
  list(TRANSFORM T_DEPS PREPEND ethnet_)
  add_executable(${T_NAME} ${T_SOURCES})
  target_include_directories(${T_NAME} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${T_NAME} PRIVATE
    ETHNET_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ETHNET_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  target_link_libraries(${T_NAME} PRIVATE ethnet_test_options ${T_DEPS} ${T_LINK}
    GTest::gmock GTest::gtest_main)
  set(labels "${T_LABELS}")
  if(NOT labels)
    set(labels unit)
  endif()
  gtest_discover_tests(${T_NAME} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${labels}" TIMEOUT 600)
endfunction()
