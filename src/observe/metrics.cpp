#include "metrics.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace ethnet::observe {
namespace {

using node::Counter;
using node::CounterKind;

// Counters that are one metric with labels: what follows the prefix is a label's value, and with
// `direction` the last part is another.
struct Labelled {
  std::string_view prefix;
  std::string_view metric;
  std::string_view label;
  bool direction;
  std::string_view help;
};
constexpr std::array kLabelled{
    Labelled{"session.refused.", "ethnet_session_refused", "reason", true,
             "Connections that we did not let become a session"},
    Labelled{"session.closed.", "ethnet_session_closed", "reason", false,
             "Active sessions that ended, by either side"},
    Labelled{"session.active.", "ethnet_session_active", "direction", false,
             "Peers now, by who dialled"},
    Labelled{"mini_sync.misbehaved.", "ethnet_mini_sync_misbehaviour", "reason", false,
             "Breaches of mini-sync by peers, by kind"},
    Labelled{"das.misbehaved.", "ethnet_das_misbehaviour", "reason", false,
             "Breaches of das-lite by peers, by kind"},
    Labelled{"discovery.misbehaved.", "ethnet_discovery_misbehaviour", "reason", false,
             "Breaches of discv-lite by peers, by kind"},
    Labelled{"peers.reported.", "ethnet_peers_reported", "reason", false,
             "What peers were marked down for"},
    Labelled{"peers.dials.", "ethnet_peers_dials", "source", false,
             "Dials of the scheduler, by where the address came from"},
    Labelled{"http.refused.", "ethnet_http_refused", "reason", false,
             "Requests and connections that this listener refused"},
};

// The names of go-ethereum's dashboards: a sum of counters of ours.
struct Known {
  std::string_view metric;
  std::string_view help;
  std::array<std::string_view, 4> sum;  // empty: none
};
constexpr std::array kKnown{
    Known{"p2p_peers_inbound", "Peers that dialled us", {{"session.active.inbound"}}},
    Known{"p2p_peers_outbound", "Peers that we dialled", {{"session.active.outbound"}}},
    Known{"p2p_ingress", "Bytes received: UDP payload, strangers' too", {{"udp.bytes_in"}}},
    Known{"p2p_egress", "Bytes sent: UDP payload", {{"udp.bytes_out"}}},
    Known{"p2p_dials",
          "Dials since the start",
          {{"dialer.dials", "peers.dials.anchors", "peers.dials.table", "peers.dials.lookups"}}},
    Known{"p2p_dials_error_connection",
          "Dials that reached nobody in time",
          {{"session.refused.transport_error.outbound",
            "session.refused.handshake_timeout.outbound"}}},
    Known{"p2p_dials_error_saturated",
          "Dials ended: too many peers",
          {{"session.refused.too_many_peers.outbound"}}},
    Known{"p2p_dials_error_known",
          "Dials ended: already connected",
          {{"session.refused.already_connected.outbound"}}},
    Known{"p2p_dials_error_self",
          "Dials that reached ourselves",
          {{"session.refused.self_connection.outbound"}}},
    Known{"p2p_dials_error_useless",
          "Dials of peers with nothing in common",
          {{"session.refused.useless_peer.outbound",
            "session.refused.no_shared_capability.outbound"}}},
    Known{"p2p_dials_error_id_unexpected",
          "Dials that reached another identity",
          {{"session.refused.unexpected_identity.outbound"}}},
    Known{"chain_reorg_executes", "Reorganisations", {{"chain.reorgs"}}},
    Known{"chain_reorg_add",
          "Headers that reorganisations put on the canonical chain",
          {{"chain.reorg_headers_added"}}},
    Known{"chain_reorg_drop",
          "Headers that reorganisations took off the canonical chain",
          {{"chain.reorg_headers_removed"}}},
};

// Of a name or a label's name: what the format allows.
std::string name_text(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!fine) c = '_';
  }
  return out;
}

// Of a label's value.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

// The lines of one metric have to stand together.
class Page {
 public:
  void add(const std::string& metric, std::string_view type, std::string_view help,
           std::string_view labels, std::uint64_t value) {
    std::string& lines = metrics_[metric];
    if (lines.empty()) {
      lines = fmt::format("# HELP {} {}\n# TYPE {} {}\n", metric, help, metric, type);
    }
    lines += labels.empty() ? fmt::format("{} {}\n", metric, value)
                            : fmt::format("{}{{{}}} {}\n", metric, labels, value);
  }
  void gauge(const std::string& metric, std::string_view help, std::uint64_t value,
             std::string_view labels = {}) {
    add(metric, "gauge", help, labels, value);
  }
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto& [metric, lines] : metrics_) out += lines;
    return out;
  }

 private:
  std::map<std::string, std::string> metrics_;
};

std::string labels_of(const Labelled& rule, std::string_view rest) {
  if (!rule.direction) return fmt::format("{}=\"{}\"", rule.label, escaped(rest));
  const std::size_t dot = rest.rfind('.');
  if (dot == std::string_view::npos) return fmt::format("{}=\"{}\"", rule.label, escaped(rest));
  return fmt::format("{}=\"{}\",direction=\"{}\"", rule.label, escaped(rest.substr(0, dot)),
                     escaped(rest.substr(dot + 1)));
}

void add_counter(Page& page, const Counter& counter) {
  const bool grows = counter.kind == CounterKind::counter;
  const std::string_view type = grows ? "counter" : "gauge";
  const std::string_view suffix = grows ? "_total" : "";
  const std::string_view help = metric_help(counter.name);
  const auto rule = std::ranges::find_if(
      kLabelled, [&](const Labelled& l) { return counter.name.starts_with(l.prefix); });
  if (help.empty() && rule != kLabelled.end()) {
    const std::string_view rest = std::string_view{counter.name}.substr(rule->prefix.size());
    page.add(fmt::format("{}{}", rule->metric, suffix), type, rule->help, labels_of(*rule, rest),
             counter.value);
    return;
  }
  page.add(fmt::format("ethnet_{}{}", name_text(counter.name), suffix), type,
           help.empty() ? "A number of the node that has no text yet" : help, {}, counter.value);
}

std::uint64_t value_of(const node::NodeSnapshot& snapshot, std::string_view name) {
  const auto it = std::ranges::find(snapshot.counters, name, &Counter::name);
  return it == snapshot.counters.end() ? 0 : it->value;
}

void add_known(Page& page, const node::NodeSnapshot& snapshot) {
  page.gauge("p2p_peers", "Peers now", snapshot.sessions);
  page.gauge("chain_head_header", "Number of the canonical head", snapshot.head_number);
  for (const Known& known : kKnown) {
    std::uint64_t sum = 0;
    for (const std::string_view name : known.sum) sum += value_of(snapshot, name);
    page.gauge(std::string{known.metric}, known.help, sum);
  }
  // Refused for any other reason: together they are all.
  std::uint64_t other = 0;
  for (const Counter& c : snapshot.counters) {
    if (!c.name.starts_with("session.refused.") || !c.name.ends_with(".outbound")) continue;
    const bool named = std::ranges::any_of(
        kKnown, [&](const Known& k) { return std::ranges::find(k.sum, c.name) != k.sum.end(); });
    if (!named) other += c.value;
  }
  page.gauge("p2p_dials_error_other", "Dials ended for any other reason", other);
}

}  // namespace

std::string prometheus_text(const node::NodeSnapshot& snapshot, std::span<const Counter> own) {
  Page page;
  for (const Counter& counter : snapshot.counters) add_counter(page, counter);
  for (const Counter& counter : own) add_counter(page, counter);
  add_known(page, snapshot);
  page.gauge("ethnet_info", "Who this is: the value is always 1", 1,
             fmt::format("client=\"{}\",id=\"{}\",genesis=\"{}\",chain_id=\"{}\"",
                         escaped(snapshot.client), snapshot.id.hex(), snapshot.genesis.hex(),
                         snapshot.chain_id));
  page.gauge("ethnet_sync_active", "1 while a long download is under way",
             snapshot.syncing ? 1 : 0);
  page.gauge("ethnet_sync_target", "Block number that the download is to reach; 0: there is none",
             snapshot.syncing ? snapshot.syncing->target : 0);
  return page.text();
}

}  // namespace ethnet::observe
