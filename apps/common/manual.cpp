#include "manual.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include <fmt/format.h>

namespace ethnet::app {
namespace {

constexpr std::string_view kExitStatus =
    "0 when all went well; 1 when something is wrong, which is then one line on standard error.\n"
    "What else a command may say by its status stands with it.";

// One character of UTF-8 at the front of `text`, which is ours and well formed.
std::uint32_t take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  std::uint32_t code = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length && i < text.size(); ++i) {
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  text.remove_prefix(std::min(length, text.size()));
  return code;
}

// Text as roff shows it letter by letter.
std::string plain(std::string_view text) {
  std::string out;
  bool at_line_start = true;
  while (!text.empty()) {
    const std::uint32_t c = take_character(text);
    if (at_line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c >= 0x80) {
      out += fmt::format("\\[u{:04X}]", c);
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-' || c == '\'' || c == '`' || c == '^' || c == '~') {
      // Otherwise typographic: not what is to be typed.
      out += c == '-'    ? "\\-"
             : c == '\'' ? "\\(aq"
             : c == '`'  ? "\\(ga"
             : c == '^'  ? "\\(ha"
                         : "\\(ti";
    } else {
      out += static_cast<char>(c);
    }
    at_line_start = c == '\n';
  }
  return out;
}

// Each line of its own, where the text has lines.
std::string lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (!line.empty()) out += (out.empty() ? "" : ".br\n") + plain(line) + '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string head(std::string_view name, std::string_view summary) {
  std::string title{name};
  std::ranges::transform(title, title.begin(), [](unsigned char c) { return std::toupper(c); });
  return fmt::format(".TH {} 1 \"\" \"MiniEthNet " ETHNET_VERSION
                     "\" \"User commands\"\n.SH NAME\n{} \\- {}\n",
                     title, plain(name), plain(summary));
}

std::string see(std::string_view other) {
  return fmt::format(".SH SEE ALSO\n.BR {} (1)\n", plain(other));
}

std::string value_of(const CLI::Option& option) {
  if (!option.get_option_text().empty()) return option.get_option_text();
  if (option.get_items_expected_max() == 0) return {};
  std::string type = option.get_type_name();
  type.resize(std::min(type.find_first_of(": "), type.size()));
  return type;
}

std::string option_entry(const CLI::Option& option) {
  const std::string value = value_of(option);
  std::string out = ".TP\n\\fB" + plain(option.get_name(option.get_positional(), true)) + "\\fR";
  if (!value.empty() && !option.get_positional()) out += " \\fI" + plain(value) + "\\fR";
  const std::string about = lines(option.get_description());
  return out + '\n' + (about.empty() ? "\\&\n" : about);
}

void add_options(const CLI::App& app, std::string& out) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) out += option_entry(*option);
  }
  for (const std::string& group : app.get_groups()) {
    if (group.empty()) continue;  // hidden
    const auto of_group = app.get_options([&](const CLI::Option* option) {
      return option->get_group() == group && option->nonpositional() &&
             option != app.get_help_ptr();
    });
    if (of_group.empty()) continue;
    out += fmt::format(".PP\n{}:\n", plain(group));
    for (const CLI::Option* option : of_group) out += option_entry(*option);
  }
}

void add_command(const CLI::App& app, const std::string& path, std::string& out) {
  const auto shown =
      app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); });
  if (shown.empty()) {
    out += fmt::format(".SS {}\n{}", plain(path), lines(app.get_description()));
    add_options(app, out);
    if (const std::string footer = app.get_footer(); !footer.empty())
      out += ".PP\n" + plain(footer) + '\n';
    return;
  }
  for (const CLI::App* one : shown) add_command(*one, path + ' ' + one->get_name(), out);
}

}  // namespace

std::string manual_page(const CLI::App& app, std::string_view see_also) {
  const std::string& name = app.get_name();
  std::string out = head(name, app.get_description());
  out += fmt::format(
      ".SH SYNOPSIS\n.B {0}\n.I COMMAND\n[\\fIARGUMENTS\\fR]\n.br\n.B {0}\n.B {1}\n|\n.B {2}\n",
      plain(name), plain("--help"), plain("--version"));
  out += ".SH COMMANDS\n";
  add_command(app, name, out);
  return out + ".SH EXIT STATUS\n" + plain(kExitStatus) + '\n' + see(see_also);
}

std::string manual_page(std::string_view name, std::string_view summary, std::string_view help,
                        std::string_view see_also) {
  constexpr std::string_view kUsage = "usage: ";
  std::string out = head(name, summary);
  const std::size_t usage_end = std::min(help.find('\n'), help.size());
  const std::string_view usage = help.substr(0, usage_end);
  const std::string_view synopsis = usage.substr(usage.starts_with(kUsage) ? kUsage.size() : 0);
  out += fmt::format(".SH SYNOPSIS\n{}\n.SH DESCRIPTION\n", plain(synopsis));
  std::string_view rest = help.substr(std::min(usage_end + 1, help.size()));
  bool verbatim = false;
  bool begins = true;  // of a paragraph; the heading has begun the first
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (verbatim != line.starts_with(' ')) out += verbatim ? ".fi\n" : ".PP\n.nf\n";
    verbatim = line.starts_with(' ');
    if (line.empty()) {
      begins = false;
      continue;
    }
    if (!verbatim && !begins) out += ".PP\n";
    begins = true;
    out += plain(line) + '\n';
  }
  if (verbatim) out += ".fi\n";
  return out + see(see_also);
}

}  // namespace ethnet::app
