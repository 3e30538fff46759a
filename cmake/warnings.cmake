# Warnings are errors. `ethnet_core_warnings` is for src/ (core), `ethnet_edge_warnings` for what
# touches Asio, `ethnet_test_warnings` for tests.
set(ETHNET_WARN_COMMON
  -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wcast-align -Wcast-qual
  -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2 -Wmissing-declarations -Werror)
set(ETHNET_WARN_CLANG -Wshadow-all -Wextra-semi -Wimplicit-fallthrough)
set(ETHNET_WARN_GNU -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wno-unknown-pragmas)

# What every source has, also one that a tool made.
add_library(ethnet_hardened_options INTERFACE)
target_compile_definitions(ethnet_hardened_options INTERFACE _GLIBCXX_ASSERTIONS)
target_compile_options(ethnet_hardened_options INTERFACE -fno-omit-frame-pointer -fstack-protector-strong)

add_library(ethnet_common_options INTERFACE)
target_link_libraries(ethnet_common_options INTERFACE ethnet_hardened_options)
target_compile_options(ethnet_common_options INTERFACE
  ${ETHNET_WARN_COMMON}
  $<$<CXX_COMPILER_ID:Clang>:${ETHNET_WARN_CLANG}>
  $<$<CXX_COMPILER_ID:GNU>:${ETHNET_WARN_GNU}>)

add_library(ethnet_core_options INTERFACE)
target_link_libraries(ethnet_core_options INTERFACE ethnet_common_options)
target_compile_options(ethnet_core_options INTERFACE -Wpedantic -Wnull-dereference -fno-exceptions
  $<$<CXX_COMPILER_ID:Clang>:-Wunsafe-buffer-usage>)

add_library(ethnet_edge_options INTERFACE)
target_link_libraries(ethnet_edge_options INTERFACE ethnet_common_options)
target_compile_options(ethnet_edge_options INTERFACE -Wpedantic -Wnull-dereference)

add_library(ethnet_test_options INTERFACE)
target_link_libraries(ethnet_test_options INTERFACE ethnet_common_options)
# g++ reports every dereference of a pointer that a test has just asserted to be there.
target_compile_options(ethnet_test_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wnull-dereference>)
