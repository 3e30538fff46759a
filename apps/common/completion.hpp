// Completion of a program's command line by a shell, made from its CLI11 definitions: it cannot
// know less than the program does. Words are those of the definitions, one line of help beside each
// where the shell shows it. Threading: none. No limits: its input is ours.
#pragma once

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace ethnet::app {

// `shell`: bash, zsh or fish; throws std::runtime_error for another. The script stands alone: it is
// sourced, or lies in the folder from which the shell loads completions.
[[nodiscard]] std::string completion_script(const CLI::App& app, std::string_view shell);

// The sub-command that prints it, after all others. `shell` and the app outlive the parse.
void add_completion_command(CLI::App& app, std::string& shell);

}  // namespace ethnet::app
