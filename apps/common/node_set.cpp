#include "node_set.hpp"

#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include <base/printable.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "files.hpp"

namespace ethnet::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kIndent = 4;
constexpr std::string_view kNever = "0001-01-01T00:00:00Z";  // as Go writes a time that is none

[[noreturn]] void refuse(const std::string& path, std::string_view why) {
  throw std::runtime_error(fmt::format("{}: {}", printable(path), printable(why)));
}

Json read_json(const std::string& path) {
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>{std::cin}, std::istreambuf_iterator<char>{});
  } else {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (!error && size > kMaxNodeSetBytes) refuse(path, "too large to be a set of nodes");
    text = read_text_file(path);
  }
  try {
    return Json::parse(text);
  } catch (const Json::exception&) {
    refuse(path, "not JSON");
  }
}

std::string text_of(const Json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::uint64_t number_of(const Json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string moment_of(const Json& from, const char* key) {
  const std::string text = text_of(from, key);
  if (text.empty() || text == kNever) return {};
  (void)parse_time(text);
  return text;
}

KnownNode read_node(const std::string& id, const Json& entry) {
  if (!entry.is_object()) throw std::runtime_error("not an object");
  auto record = VerifiedEnr::parse(text_of(entry, "record"));
  if (!record) throw std::runtime_error(record.error().message());
  if (to_hex(record->node_id().view()) != id.substr(id.starts_with("0x") ? 2 : 0)) {
    throw std::runtime_error("the record is of another node");
  }
  if (number_of(entry, "seq") != record->record().seq()) {
    throw std::runtime_error("'seq' is not that of the record");
  }
  KnownNode out{*std::move(record), 0, {}, {}, {}};
  if (const auto score = entry.find("score"); score != entry.end() && score->is_number_integer()) {
    out.score = score->get<std::int64_t>();
  }
  out.first_response = moment_of(entry, "firstResponse");
  out.last_response = moment_of(entry, "lastResponse");
  out.last_check = moment_of(entry, "lastCheck");
  return out;
}

// A number of exactly so many digits at `at`, which moves on.
int digits(const std::string& text, std::size_t& at, std::size_t count) {
  int value = 0;
  const std::string_view part = std::string_view{text}.substr(std::min(at, text.size()), count);
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
  if (error != std::errc{} || part.size() != count || end != part.data() + count || value < 0) {
    throw std::runtime_error(fmt::format("'{}' is not a time", printable(text)));
  }
  at += count;
  return value;
}

void expect(const std::string& text, std::size_t& at, char c) {
  if (at >= text.size() || text[at] != c) {
    throw std::runtime_error(fmt::format("'{}' is not a time", printable(text)));
  }
  ++at;
}

std::string info_path(const std::string& folder) {
  return (std::filesystem::path{folder} / "enrtree-info.json").string();
}
std::string nodes_path(const std::string& folder) {
  return (std::filesystem::path{folder} / "nodes.json").string();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file{path, std::ios::binary | std::ios::trunc};
  file << text;
  file.close();
  if (!file) throw std::runtime_error(fmt::format("cannot write {}", printable(path)));
}

}  // namespace

std::int64_t parse_time(const std::string& text) {
  std::size_t at = 0;
  const int year = digits(text, at, 4);
  expect(text, at, '-');
  const int month = digits(text, at, 2);
  expect(text, at, '-');
  const int day = digits(text, at, 2);
  expect(text, at, 'T');
  const int hour = digits(text, at, 2);
  expect(text, at, ':');
  const int minute = digits(text, at, 2);
  expect(text, at, ':');
  const int second = digits(text, at, 2);
  std::int64_t nanoseconds = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t unit = 100'000'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
      nanoseconds += unit * (text[at] - '0');
    }
  }
  int zone = 0;  // minutes east
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    const int sign = text[at++] == '+' ? 1 : -1;
    zone = digits(text, at, 2) * 60;
    expect(text, at, ':');
    zone = sign * (zone + digits(text, at, 2));
  } else {
    expect(text, at, 'Z');
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (at != text.size() || !date.ok() || hour > 23 || minute > 59 || second > 60 || year < 1700 ||
      year > 2200) {
    throw std::runtime_error(fmt::format("'{}' is not a time", printable(text)));
  }
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t minutes = (days * 24 + hour) * 60 + minute - zone;
  return (minutes * 60 + second) * 1'000'000'000 + nanoseconds;
}

std::string time_text(UnixTime time) {
  const std::uint64_t whole = time.whole_seconds();
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(whole / 86'400)}}};
  const std::uint64_t of_day = whole % 86'400;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     of_day / 3'600, of_day / 60 % 60, of_day % 60);
}

NodeSet read_node_set(const std::string& path) {
  const Json json = read_json(path);
  if (!json.is_object()) refuse(path, "not a set of nodes");
  NodeSet out;
  for (const auto& [id, entry] : json.items()) {
    try {
      KnownNode node = read_node(id, entry);
      const NodeId own = node.record.node_id();
      out.insert_or_assign(own, std::move(node));
    } catch (const std::runtime_error& error) {
      refuse(path, fmt::format("node {}: {}", id, error.what()));
    }
  }
  return out;
}

std::string node_set_json(const NodeSet& nodes) {
  Json out = Json::object();
  for (const auto& [id, node] : nodes) {
    Json entry;
    entry["seq"] = node.record.record().seq();
    entry["record"] = node.record.record().text();
    if (node.score != 0) entry["score"] = node.score;
    const auto moment = [&](const char* key, const std::string& text) {
      entry[key] = text.empty() ? std::string{kNever} : text;
    };
    moment("firstResponse", node.first_response);
    moment("lastResponse", node.last_response);
    moment("lastCheck", node.last_check);
    out[to_hex(id.view())] = std::move(entry);
  }
  return out.dump(kIndent) + "\n";
}

dns::Tree TreeFolder::tree() const {
  std::vector<VerifiedEnr> records;
  for (const auto& [id, node] : nodes) records.push_back(node.record);
  auto made = dns::make_tree(records, links);
  if (made) return *std::move(made);
  const Error why = made.error();
  if (why.is(dns::DnsError::record_port)) {
    const VerifiedEnr& record = records[why.offset()];
    throw std::runtime_error(fmt::format(
        "node {}: '{}' in its record is no port, over which readers of the tree would trip; take "
        "it out of nodes.json",
        to_hex(record.node_id().view()), record->malformed_port().value()));
  }
  const bool of_link = why.is(dns::DnsError::link_twice);
  throw std::runtime_error(fmt::format(
      "{} {}: {}", of_link ? "link" : "node",
      of_link ? links[why.offset()].text() : to_hex(records[why.offset()].node_id().view()),
      why.what()));
}

TreeFolder read_tree_folder(const std::string& path) {
  TreeFolder out;
  const std::string info = info_path(path);
  if (std::filesystem::exists(info)) {
    const Json json = read_json(info);
    if (!json.is_object()) refuse(info, "not what is known of a tree");
    out.url = text_of(json, "url");
    out.seq = number_of(json, "seq");
    out.signature = text_of(json, "signature");
    const auto links = json.find("links");
    const bool listed = links != json.end() && links->is_array();
    for (const Json& one : listed ? *links : Json::array()) {
      const std::string text = one.is_string() ? one.get<std::string>() : std::string{};
      const auto link = dns::Link::parse(text);
      if (!link) refuse(info, fmt::format("link '{}': {}", text, link.error().message()));
      out.links.push_back(*link);
    }
  }
  out.nodes = read_node_set(nodes_path(path));
  return out;
}

void write_tree_info(const std::string& path, const TreeFolder& folder, UnixTime now) {
  Json json;
  if (!folder.url.empty()) json["url"] = folder.url;
  json["seq"] = folder.seq;
  if (!folder.signature.empty()) json["signature"] = folder.signature;
  json["links"] = Json::array();
  for (const dns::Link& link : folder.links) json["links"].push_back(link.text());
  json["lastModified"] = time_text(now);
  std::error_code error;
  std::filesystem::create_directories(path, error);
  write_file(info_path(path), json.dump(kIndent) + "\n");
}

void write_tree_nodes(const std::string& path, const TreeFolder& folder) {
  write_file(nodes_path(path), node_set_json(folder.nodes));
}

std::uint64_t known_seq(const std::string& path, const dns::Link& tree) {
  const std::string info = info_path(path);
  if (!std::filesystem::exists(info)) return 0;
  const Json json = read_json(info);
  if (!json.is_object()) refuse(info, "not what is known of a tree");
  const auto link = dns::Link::parse(text_of(json, "url"));
  return link && link->identity() == tree.identity() ? number_of(json, "seq") : 0;
}

}  // namespace ethnet::app
