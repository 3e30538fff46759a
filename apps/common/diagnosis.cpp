#include "diagnosis.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include <discovery/kbucket/record.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <types/endpoint.hpp>
#include <types/enr.hpp>

namespace ethnet::app {
namespace {

using Json = nlohmann::json;

// Long enough for somebody to have dialled in, where anybody can.
constexpr std::int64_t kLongEnoughNs = 600'000'000'000;
constexpr std::size_t kShownReasons = 5;  // in each direction

struct Cure {
  std::string_view reason;
  bool inbound;
  std::string_view advice;
};
// Where something can be done; most refusals are how a healthy network works.
constexpr std::array kCures{
    Cure{"too many peers", true, "every place is taken: --maxpeers gives more"},
    Cure{"too many peers", false, "they are full: it passes, or name other --bootnodes"},
    Cure{"wrong genesis", true,
         "they are of another network, or this node is: see --genesis, --network"},
    Cure{"wrong genesis", false,
         "they are of another network, or this node is: see --genesis, --network"},
    Cure{"incompatible fork", true, "one side missed an upgrade: compare versions and --genesis"},
    Cure{"incompatible fork", false, "one side missed an upgrade: compare versions and --genesis"},
    Cure{"handshake timeout", true, "they went silent: packets are lost on the way back to them"},
    Cure{"handshake timeout", false, "nobody answers there: it is gone, or a firewall drops UDP"},
    Cure{"transport error", false, "nobody answers there: it is gone, or a firewall drops UDP"},
    Cure{"too many pending connections", true,
         "more dial in than can be judged: a flood, or one address"},
    Cure{"self connection", true, "the node dials itself: take its own address off --bootnodes"},
    Cure{"self connection", false, "the node dials itself: take its own address off --bootnodes"},
    Cure{"unexpected identity", false, "another node answers there: the enode or record is old"},
};

// Of the family at which peers see it, where they do.
std::optional<Endpoint> address_in(const Json& summary, const std::optional<Endpoint>& seen) {
  const auto record = VerifiedEnr::parse(summary.value("enr", ""));
  if (!record) return std::nullopt;
  if (!seen) return kbucket::endpoint_of(record->record(), kbucket::RecordPort::quic);
  return seen->ip.is_v4() ? record->record().endpoint_v4("quic")
                          : record->record().endpoint_v6("quic");
}

Check listening(const Json& summary) {
  return {.name = "listening",
          .finding = Finding::good,
          .what = fmt::format("it answers, and listens on {}/udp", summary.value("listen", "")),
          .advice = {}};
}

Check address(const Json& summary) {
  const auto observed = Endpoint::parse(summary.value("observed", ""));
  const auto seen = observed ? std::optional{*observed} : std::nullopt;
  const auto told = address_in(summary, seen);
  if (!told && !seen) {
    return {
        .name = "address",
        .finding = Finding::note,
        .what = "its record has no address, and too few peers have said where they see it",
        .advice = "--nat extip:IP where you know it; --nat stun:HOST:PORT or pmp asks who does"};
  }
  if (told && seen && told->ip == seen->ip && told->port == seen->port) {
    return {.name = "address",
            .finding = Finding::good,
            .what = fmt::format("its record says {}, and so do its peers", told->to_string()),
            .advice = {}};
  }
  if (told && seen) {
    return {.name = "address",
            .finding = Finding::bad,
            .what = fmt::format("its record says {}, but peers see it at {}", told->to_string(),
                                seen->to_string()),
            .advice =
                "a router maps the port, or the address has changed: correct --nat, or forward "
                "the port unchanged"};
  }
  if (seen) {
    return {.name = "address",
            .finding = Finding::note,
            .what = fmt::format("peers see it at {}, and its record has no such address",
                                seen->to_string()),
            .advice = {}};
  }
  return {.name = "address",
          .finding = Finding::good,
          .what = fmt::format("its record says {}; too few peers have said where they see it",
                              told->to_string()),
          .advice = {}};
}

Check reachable(const Json& summary, const Json& peers, const Json& refusals) {
  const auto inbound = std::ranges::count_if(
      peers.at("peers"), [](const Json& p) { return p.at("direction") == "INBOUND"; });
  const bool tried = std::ranges::any_of(
      refusals.at("refusals"), [](const Json& r) { return r.at("direction") == "INBOUND"; });
  if (inbound > 0) {
    return {.name = "reachable",
            .finding = Finding::good,
            .what = fmt::format("{} of its sessions were begun by others", inbound),
            .advice = {}};
  }
  if (tried) {
    return {.name = "reachable",
            .finding = Finding::note,
            .what = "others dial in, and none of them has stayed",
            .advice = "see why they were refused"};
  }
  const std::int64_t age = summary.at("taken_unix_ns").get<std::int64_t>() -
                           summary.at("started_unix_ns").get<std::int64_t>();
  if (age < kLongEnoughNs) {
    return {.name = "reachable",
            .finding = Finding::note,
            .what = "nobody has dialled in yet; it has run for less than ten minutes",
            .advice = {}};
  }
  return {.name = "reachable",
          .finding = Finding::bad,
          .what = "nobody has dialled in since it started",
          .advice = fmt::format("let {}/udp through the firewall, and forward it on the router",
                                summary.value("listen", ""))};
}

Check peers_check(const Json& summary) {
  const auto active = summary.at("active_peers").get<std::uint64_t>();
  const auto most = summary.at("max_peers").get<std::uint64_t>();
  const auto discovered = summary.at("discovered_peers").get<std::uint64_t>();
  const std::string what =
      fmt::format("{} of {} places taken; nodes discovered: {}", active, most, discovered);
  if (active > 0) return {.name = "peers", .finding = Finding::good, .what = what, .advice = {}};
  return {.name = "peers",
          .finding = Finding::bad,
          .what = what,
          .advice = discovered == 0 ? "name somebody to begin with: --bootnodes, --discovery.dns"
                                    : "see why its dials fail"};
}

// Only where somebody doubts it: that nobody does proves nothing.
void add_clock(const Json& summary, std::vector<Check>& out) {
  const auto ahead = summary.value("clock_ahead_seconds", std::int64_t{0});
  if (ahead == 0) return;
  out.push_back({.name = "clock",
                 .finding = Finding::bad,
                 .what = fmt::format("others say that its clock is {} by {} s at least",
                                     ahead > 0 ? "ahead" : "behind", std::abs(ahead)),
                 .advice = "set the clock of that machine by NTP"});
}

// The most frequent of the last ten minutes, one check each.
void add_refusals(const Json& refusals, bool inbound, std::vector<Check>& out) {
  std::size_t shown = 0;
  for (const Json& r : refusals.at("refusals")) {
    const bool in = r.at("direction") == "INBOUND";
    const auto recent = r.at("recent").get<std::uint64_t>();
    if (in != inbound || recent == 0 || shown == kShownReasons) continue;
    ++shown;
    const std::string reason = r.value("reason", "");
    const auto cure = std::ranges::find_if(
        kCures, [&](const Cure& c) { return c.reason == reason && c.inbound == inbound; });
    out.push_back({.name = inbound ? "refused in" : "refused out",
                   .finding = Finding::note,
                   .what = fmt::format("{} in the last ten minutes: {}", recent, reason),
                   .advice = cure == kCures.end() ? "" : std::string{cure->advice}});
  }
}

}  // namespace

std::vector<Check> examine(std::string_view summary, std::string_view peers,
                           std::string_view refusals) {
  const Json s = Json::parse(summary);
  const Json r = Json::parse(refusals);
  std::vector<Check> out{listening(s), address(s), reachable(s, Json::parse(peers), r),
                         peers_check(s)};
  add_clock(s, out);
  add_refusals(r, true, out);
  add_refusals(r, false, out);
  return out;
}

}  // namespace ethnet::app
