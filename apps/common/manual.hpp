// Manual pages (roff, man macros), made from what the program itself says: its CLI11 definitions,
// or the text of its --help. In ASCII, whatever the texts hold; without a date, so that a build
// makes the same page each time. Threading: none. No limits: its input is ours.
#pragma once

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace ethnet::app {

// Of a program with sub-commands; --help, which each has, stands once.
[[nodiscard]] std::string manual_page(const CLI::App& app, std::string_view see_also);

// Of one whose help is a text: its first line `usage: NAME ...`, then paragraphs; lines that begin
// with blanks stand as they are.
[[nodiscard]] std::string manual_page(std::string_view name, std::string_view summary,
                                      std::string_view help, std::string_view see_also);

}  // namespace ethnet::app
