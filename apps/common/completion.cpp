#include "completion.hpp"

#include <cstdio>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ethnet::app {
namespace {

struct Word {
  std::string text;
  std::string about;
};
// An option, under each of its names.
struct Option {
  Word word;
  bool takes_value = false;
  std::vector<std::string> values;  // none named: files
};
// A sub-command, or the program itself; `path` is how one comes to it.
struct Command {
  std::string path;
  std::vector<Word> next;  // its own sub-commands, or the words of its first argument
  std::vector<Option> options;
};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// Of "TEXT:{a,b}" a and b: how CLI11 names the members of a set.
std::vector<std::string> members(const std::string& type) {
  std::vector<std::string> out;
  const std::size_t begin = type.find('{');
  const std::size_t end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return out;
  for (std::size_t at = begin + 1; at <= end;) {
    const std::size_t comma = std::min(type.find(',', at), end);
    out.push_back(type.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

void add_option(const CLI::Option& option, Command& command) {
  const std::vector<std::string> values = members(option.get_type_name());
  const std::string about = first_line(option.get_description());
  if (option.get_positional()) {
    for (const std::string& value : values) command.next.push_back({value, about});
    return;
  }
  const bool takes_value = option.get_items_expected_max() != 0;
  for (const std::string& name : option.get_lnames()) {
    command.options.push_back({{"--" + name, about}, takes_value, values});
  }
  for (const std::string& name : option.get_snames()) {
    command.options.push_back({{"-" + name, about}, takes_value, values});
  }
}

void collect(const CLI::App& app, const std::string& path, std::vector<Command>& out) {
  Command command{.path = path, .next = {}, .options = {}};
  const auto shown =
      app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); });
  for (const CLI::App* one : shown) {
    command.next.push_back({one->get_name(), first_line(one->get_description())});
  }
  for (const CLI::Option* option : app.get_options()) add_option(*option, command);
  out.push_back(std::move(command));
  for (const CLI::App* one : shown) collect(*one, path + ' ' + one->get_name(), out);
}

std::string joined(const std::vector<Word>& words) {
  std::vector<std::string> texts;
  for (const Word& word : words) texts.push_back(word.text);
  return fmt::format("{}", fmt::join(texts, " "));
}

std::string joined_options(const Command& command) {
  std::vector<std::string> texts;
  for (const Option& option : command.options) texts.push_back(option.word.text);
  return fmt::format("{}", fmt::join(texts, " "));
}

std::string replaced(std::string text, std::string_view old, std::string_view by) {
  for (std::size_t at = text.find(old); at != std::string::npos;
       at = text.find(old, at + by.size())) {
    text.replace(at, old.size(), by);
  }
  return text;
}

std::string quoted(const std::string& text) { return '\'' + replaced(text, "'", "'\\''") + '\''; }

// The paths below the program, as the alternatives of a `case`.
std::string paths(const std::vector<Command>& commands, std::string_view between) {
  std::vector<std::string> out;
  for (std::size_t i = 1; i < commands.size(); ++i) out.push_back(quoted(commands[i].path));
  return fmt::format("{}", fmt::join(out, between));
}

// f(path and option, values) of each option that takes a value.
template <class F>
void for_each_value(const std::vector<Command>& commands, F&& f) {
  for (const Command& command : commands) {
    for (const Option& option : command.options) {
      if (option.takes_value) f(quoted(command.path + ' ' + option.word.text), option.values);
    }
  }
}

std::string bash_script(const std::string& name, const std::vector<Command>& commands) {
  std::string out = fmt::format(R"(# Completion of {0} by bash, made by: {0} completion bash
_{0}() {{
  local at={0} next='' options='' i
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$at ${{COMP_WORDS[i]}}" in
      {1}) at="$at ${{COMP_WORDS[i]}}" ;;
    esac
  done
  case "$at $before" in
)",
                                name, paths(commands, " | "));
  for_each_value(commands, [&](const std::string& option, const std::vector<std::string>& values) {
    out += values.empty() ? fmt::format("    {}) return ;;\n", option)
                          : fmt::format("    {}) next='{}' ;;\n", option, fmt::join(values, " "));
  });
  out += "    *)\n      case $at in\n";
  for (const Command& command : commands) {
    out += fmt::format("        {}) next='{}' options='{}' ;;\n", quoted(command.path),
                       joined(command.next), joined_options(command));
  }
  out += fmt::format(R"(      esac
      ;;
  esac
  [[ $word != -* ]] || next=$options
  mapfile -t COMPREPLY < <(compgen -W "$next" -- "$word")
}}
complete -o default -F _{0} {0}
)",
                     name);
  return out;
}

std::string zsh_entries(const std::vector<Word>& words) {
  std::string out;
  for (const Word& word : words) out += ' ' + quoted(word.text + ':' + word.about);
  return out;
}

std::vector<Word> words_of(const Command& command) {
  std::vector<Word> out;
  for (const Option& option : command.options) out.push_back(option.word);
  return out;
}

std::string zsh_script(const std::string& name, const std::vector<Command>& commands) {
  std::string out = fmt::format(R"(#compdef {0}
# Completion of {0} by zsh, made by: {0} completion zsh
_{0}() {{
  local at={0} i
  local -a next options
  for ((i = 2; i < CURRENT; ++i)); do
    case "$at ${{words[i]}}" in
      ({1}) at="$at ${{words[i]}}" ;;
    esac
  done
  case "$at ${{words[CURRENT - 1]}}" in
)",
                                name, paths(commands, "|"));
  for_each_value(commands, [&](const std::string& option, const std::vector<std::string>& values) {
    out += values.empty()
               ? fmt::format("    ({}) _files; return ;;\n", option)
               : fmt::format("    ({}) compadd -- {}; return ;;\n", option, fmt::join(values, " "));
  });
  out += "  esac\n  case $at in\n";
  for (const Command& command : commands) {
    out += fmt::format("    ({})\n      next=({})\n      options=({}) ;;\n", quoted(command.path),
                       zsh_entries(command.next), zsh_entries(words_of(command)));
  }
  out += fmt::format(R"(  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option options
  elif (( $#next )); then
    _describe command next
  else
    _files
  fi
}}
if [[ $funcstack[1] == _{0} ]]; then _{0} "$@"; else compdef _{0} {0}; fi
)",
                     name);
  return out;
}

std::string fish_quoted(const std::string& text) {
  return '\'' + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + '\'';
}

std::string fish_option(const std::string& begin, const Option& option) {
  const bool is_long = option.word.text.starts_with("--");
  std::string out = fmt::format("{} {} {}", begin, is_long ? "-l" : "-s",
                                option.word.text.substr(is_long ? 2 : 1));
  if (option.takes_value && option.values.empty()) out += " -r";
  if (!option.values.empty()) out += fmt::format(" -x -a '{}'", fmt::join(option.values, " "));
  return fmt::format("{} -d {}\n", out, fish_quoted(option.word.about));
}

std::string fish_script(const std::string& name, const std::vector<Command>& commands) {
  std::string out = fmt::format(R"(# Completion of {0} by fish, made by: {0} completion fish
function __{0}_at
  set -l at {0}
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case {1}
        set at "$at $word"
    end
  end
  test "$at" = "$argv"
end
)",
                                name, paths(commands, " "));
  for (const Command& command : commands) {
    const std::string begin =
        fmt::format("complete -c {} -n '__{}_at {}'", name, name, command.path);
    for (const Word& word : command.next) {
      out += fmt::format("{} -f -a {} -d {}\n", begin, word.text, fish_quoted(word.about));
    }
    for (const Option& option : command.options) out += fish_option(begin, option);
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, std::string_view shell) {
  std::vector<Command> commands;
  collect(app, app.get_name(), commands);
  if (shell == "bash") return bash_script(app.get_name(), commands);
  if (shell == "zsh") return zsh_script(app.get_name(), commands);
  if (shell == "fish") return fish_script(app.get_name(), commands);
  throw std::runtime_error(fmt::format("no completion for '{}': bash, zsh or fish", shell));
}

void add_completion_command(CLI::App& app, std::string& shell) {
  CLI::App* const command = app.add_subcommand(
      "completion",
      fmt::format("Print the completion of a shell: source <({} completion bash)", app.get_name()));
  command->add_option("SHELL", shell, "Which shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&] { std::fputs(completion_script(app, shell).c_str(), stdout); });
}

}  // namespace ethnet::app
