#include "host_names.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace ethnet::observe {
namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool all_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "localhost" of "localhost:12001", "[::1]" of "[::1]:12001"; empty: it is neither.
std::string_view without_port(std::string_view text) {
  const std::size_t from = text.starts_with('[') ? text.find(']') : 0;
  if (from == std::string_view::npos) return {};
  const std::size_t colon = text.find(':', from);
  if (colon == std::string_view::npos) return text;
  return all_digits(text.substr(colon + 1)) ? text.substr(0, colon) : std::string_view{};
}

}  // namespace

HostNames::HostNames(std::vector<std::string> names) : names_{std::move(names)} {
  for (std::string& name : names_) name = lower(name);
  names_.insert(names_.end(), {"localhost", "127.0.0.1", "[::1]"});
}

HostNames::HostNames(std::vector<std::string> names, const IpAddress& listen)
    : HostNames{std::move(names)} {
  if (listen.is_unspecified()) return;
  const std::string ip = listen.to_string();
  names_.push_back(listen.is_v4() ? ip : "[" + ip + "]");
}

bool HostNames::contains(std::string_view host) const {
  const std::string name = lower(without_port(host));
  if (name.empty()) return false;
  return std::ranges::any_of(names_, [&](const std::string& n) { return n == "*" || n == name; });
}

}  // namespace ethnet::observe
