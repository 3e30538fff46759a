#include "page.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ethnet::census {
namespace {

namespace http = boost::beast::http;
using Json = nlohmann::ordered_json;

constexpr std::string_view kJson = "application/json";
constexpr std::size_t kDefaultPage = 100;
// Scripts, styles and images of its own, and calls to us: nothing of anybody else, nothing inline.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// A question that is not answered, and why.
struct Refused {
  http::status status;
  std::string why;
};

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

HttpResponse make(http::status status, unsigned version, std::string_view type, std::string body) {
  HttpResponse out{status, version};
  out.set(http::field::content_type, type);
  out.set(http::field::cache_control, "no-store");
  out.set("X-Content-Type-Options", "nosniff");
  out.set("X-Frame-Options", "DENY");
  out.set("Referrer-Policy", "no-referrer");
  out.set("Content-Security-Policy", kPagePolicy);
  out.set("Cross-Origin-Resource-Policy", "same-origin");
  out.body() = std::move(body);
  return out;
}

// Percent-encoding, and '+' for a blank.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      unsigned value = 0;
      const std::string_view digits = text.substr(i + 1, 2);
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      if (error != std::errc{} || digits.size() != 2 || end != digits.data() + 2) {
        throw Refused{http::status::bad_request, "a % that is followed by no two digits"};
      }
      out += static_cast<char>(value);
      i += 2;
    }
  }
  return out;
}

std::int64_t number(std::string_view name, const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw Refused{http::status::bad_request, fmt::format("{} is no number", name)};
  }
  return value;
}

struct Question {
  Filter filter;
  std::string after;
  std::size_t limit = kDefaultPage;
};

void take(Question& out, const std::string& name, const std::string& value) {
  if (name == "fork") {
    out.filter.fork = value;
  } else if (name == "network") {
    out.filter.network = value;
  } else if (name == "client") {
    out.filter.client = value;
  } else if (name == "capability") {
    out.filter.capability = value;
  } else if (name == "seen_since") {
    out.filter.seen_since = number(name, value);
  } else if (name == "min_score") {
    out.filter.min_score = number(name, value);
  } else if (name == "after") {
    out.after = value;
  } else if (name == "limit") {
    const std::int64_t limit = number(name, value);
    if (limit < 1 || limit > std::int64_t{kMaxCensusPage}) {
      throw Refused{http::status::bad_request, fmt::format("limit: 1 to {}", kMaxCensusPage)};
    }
    out.limit = static_cast<std::size_t>(limit);
  } else {
    throw Refused{http::status::bad_request,
                  "there are fork, network, client, capability, seen_since, min_score, limit and "
                  "after"};
  }
}

Question parse(std::string_view query) {
  Question out;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    if (!pair.empty()) take(out, decoded(pair.substr(0, equals)), decoded(value));
  }
  return out;
}

Json json_of(const Value& value) {
  if (const auto* const n = std::get_if<std::int64_t>(&value)) return *n;
  if (const auto* const text = std::get_if<std::string>(&value)) return *text;
  return nullptr;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string nodes_json(const std::vector<Row>& rows, std::size_t limit) {
  Json out;
  out["nodes"] = Json::array();
  for (const Row& row : rows) {
    Json one;
    for (std::size_t i = 0; i < row.size(); ++i) {
      one[std::string{kColumns.at(i)}] = json_of(row.at(i));
    }
    out["nodes"].push_back(std::move(one));
  }
  out["next"] = rows.size() == limit ? json_of(rows.back().at(0)) : Json{};
  return dump(out);
}

Json json_of(const Distribution& distribution) {
  Json out;
  out["groups"] = Json::array();
  for (const Group& group : distribution.groups) {
    out["groups"].push_back({{"value", group.value}, {"count", group.count}});
  }
  out["others"] = distribution.others;
  return out;
}

std::string statistics_json(const Statistics& s) {
  Json out;
  out["nodes"] = s.nodes;
  out["alive"] = s.alive;
  out["ip4"] = s.ip4;
  out["ip6"] = s.ip6;
  out["newest"] = s.newest;
  out["networks"] = json_of(s.networks);
  out["forks"] = json_of(s.forks);
  out["clients"] = json_of(s.clients);
  out["capabilities"] = json_of(s.capabilities);
  out["seen_within"] = Json::array();
  for (const auto& [age, count] : s.seen_within) {
    out["seen_within"].push_back({{"seconds", age}, {"count", count}});
  }
  return dump(out);
}

HttpResponse refuse(const Refused& refused, unsigned version) {
  return make(refused.status, version, kJson, dump({{"error", refused.why}}));
}

}  // namespace

Page::Page(const std::string& census, observe::HostNames names, observe::StaticFiles files)
    : reader_{census}, names_{std::move(names)}, files_{files} {}

HttpResponse Page::answer(const HttpRequest& request) {
  const unsigned version = request.version();
  const std::string host = request[http::field::host];
  const std::string_view target{request.target()};
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view query =
      path.size() < target.size() ? target.substr(path.size() + 1) : std::string_view{};
  try {
    if (request.count(http::field::host) != 1 || !names_.contains(host)) {
      throw Refused{http::status::forbidden,
                    "the Host header names none of our names: see --http.vhosts"};
    }
    // A browser says so of what another page asks for, whatever kind of request that page makes.
    const std::string site = lower(request["Sec-Fetch-Site"]);
    if (site == "cross-site" || site == "same-site") {
      throw Refused{http::status::forbidden,
                    "pages of another site do not ask here: open the address itself"};
    }
    const auto origin = request.find(http::field::origin);
    if (origin != request.end() && lower(origin->value()) != "http://" + lower(host)) {
      throw Refused{http::status::forbidden, "web pages of another origin are not answered"};
    }
    if (request.method() != http::verb::get) {
      throw Refused{http::status::method_not_allowed, "use GET"};
    }
    if (path == "/nodes.json") {
      const Question question = parse(query);
      return make(http::status::ok, version, kJson,
                  nodes_json(reader_.page(question.filter, question.after, question.limit),
                             question.limit));
    }
    if (path == "/statistics.json") {
      return make(http::status::ok, version, kJson,
                  statistics_json(reader_.statistics(parse(query).filter)));
    }
    const auto* const file = observe::find_file(files_, path == "/" ? "/index.html" : path);
    if (file == nullptr)
      throw Refused{http::status::not_found, "there are /, /nodes.json and /statistics.json"};
    return make(http::status::ok, version, observe::content_type(*file), std::string{file->bytes});
  } catch (const Refused& refused) {
    return refuse(refused, version);
  } catch (const CensusError& error) {
    return refuse({http::status::internal_server_error, error.what()}, version);
  }
}

}  // namespace ethnet::census
