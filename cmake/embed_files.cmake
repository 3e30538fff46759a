# ethnet_embed_files(TARGET ethnet_web_page DIR ${ETHNET_WEB_DIST} FUNCTION web_page)
#
# A library with the files below DIR in it, as the table that ethnet::observe::FUNCTION() gives. Files that come or go
# are noticed by the next build, as is a change of one. Without the folder, or without files in it, the table is empty.
# The assembler takes the bytes in as they are: no generator, nothing for the compiler to parse, and no ccache, which
# knows that it cannot see them.
function(ethnet_embed_files)
  cmake_parse_arguments(E "" "TARGET;DIR;FUNCTION" "" ${ARGN})
  file(GLOB_RECURSE paths CONFIGURE_DEPENDS RELATIVE ${E_DIR} ${E_DIR}/*)
  list(FILTER paths EXCLUDE REGEX "(^|/)\\.")  # .gitignore, .vite/
  set(assembly "")
  set(declarations "")
  set(rows "")
  set(files "")
  set(n 0)
  foreach(path IN LISTS paths)
    if(NOT path MATCHES "^[A-Za-z0-9._/-]+$")
      message(FATAL_ERROR "${E_DIR}/${path}: this name cannot stand in a URL as it is")
    endif()
    set(symbol ${E_TARGET}_${n})
    string(APPEND assembly ".globl ${symbol}\n.hidden ${symbol}\n.globl ${symbol}_size\n.hidden ${symbol}_size\n"
      "${symbol}:\n.incbin \"${E_DIR}/${path}\"\n${symbol}_end:\n"
      ".balign 8\n${symbol}_size:\n.quad ${symbol}_end - ${symbol}\n")
    string(APPEND declarations "[[gnu::visibility(\"hidden\")]] extern const char ${symbol}[];\n"
      "[[gnu::visibility(\"hidden\")]] extern const std::uint64_t ${symbol}_size;\n")
    string(APPEND rows "      StaticFile{\"/${path}\", std::string_view{${symbol}, ${symbol}_size}},\n")
    list(APPEND files ${E_DIR}/${path})
    math(EXPR n "${n} + 1")
  endforeach()
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${E_TARGET}.cpp)
  file(CONFIGURE OUTPUT ${made} @ONLY CONTENT [=[
// Made by cmake/embed_files.cmake of the files of @E_DIR@.
#include <array>
#include <cstdint>
#include <string_view>

#include <observe/static_files.hpp>

asm(R"(
.pushsection .rodata
@assembly@.popsection
)");

extern "C" {
@declarations@}

namespace ethnet::observe {

StaticFiles @E_FUNCTION@();
StaticFiles @E_FUNCTION@() {
  static const std::array<StaticFile, @n@> files{
@rows@  };
  return files;
}

}  // namespace ethnet::observe
]=])
  set_source_files_properties(${made} PROPERTIES OBJECT_DEPENDS "${files}")
  add_library(${E_TARGET} STATIC ${made})
  target_include_directories(${E_TARGET} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${E_TARGET} PRIVATE ethnet_hardened_options)
endfunction()
