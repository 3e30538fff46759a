#include <cstdio>
#include <stdexcept>
#include <vector>

#include <base/hex.hpp>
#include <fmt/format.h>
#include <types/enode_url.hpp>

#include "crawl.hpp"
#include "discv_commands.hpp"
#include "discv_node.hpp"

namespace ethnet::app {
namespace {

using discv4::V4Node;

template <class E>
const E* told(const discovery::Event& event) {
  return event_of<E, discv4::Event>(event);
}

std::string url_of(const V4Node& node) {
  EnodeUrl url{
      .key = node.key, .ip = node.at.ip, .host_name = {}, .tcp = node.at.tcp, .udp = node.at.udp};
  return url.to_string();
}

int ping(const DiscvOptions& options) {
  const V4Node node = parse_v4_node(kNode, options.node);
  DiscvNode self{options, DiscvVersion::v4, false};
  const Instant began = runtime::os_now().mono;
  self.ask([&](discovery::Host& host, Now now) { check_started(host.v4()->ping(now, node)); });
  bool done = false;
  std::string sees_us = "unknown";
  self.run(done, [&](const discovery::Event& event) {
    if (const auto* const seen = told<discv4::SeenAs>(event)) sees_us = seen->seen.to_string();
    const auto* const pong = told<discv4::PingDone>(event);
    if (pong == nullptr) return;
    check_answered(pong->answered);
    done = true;
    fmt::print("node id     {}\nsees us at  {}\ntime        {:.1f} ms\n", pong->node.hex(), sees_us,
               static_cast<double>((runtime::os_now().mono - began).ns) / 1e6);
  });
  return 0;
}

int request_record(const DiscvOptions& options) {
  const V4Node node = parse_v4_node(kNode, options.node);
  DiscvNode self{options, DiscvVersion::v4, false};
  self.ask(
      [&](discovery::Host& host, Now now) { check_started(host.v4()->request_record(now, node)); });
  bool done = false;
  self.run(done, [&](const discovery::Event& event) {
    const auto* const answer = told<discv4::RecordDone>(event);
    if (answer == nullptr || answer->command == 0) return;
    check_answered(answer->record != nullptr);
    done = true;
    fmt::print("{}\n", answer->record->record().text());
  });
  return 0;
}

std::vector<V4Node> boot_nodes(const DiscvOptions& options) {
  std::vector<V4Node> out;
  for (const std::string& text : options.bootnodes) out.push_back(parse_v4_node(kBootNodes, text));
  return out;
}

std::vector<V4Node> look_up(const DiscvOptions& options, const discv4::KeyBytes& target) {
  const std::vector<V4Node> boot = boot_nodes(options);
  check_begins_with_somebody(options);
  DiscvNode self{options, DiscvVersion::v4, false};
  std::uint64_t lookup = 0;
  self.ask([&](discovery::Host& host, Now now) {
    host.v4()->bootstrap(now, boot);
    check_started(lookup = host.v4()->start_lookup(now, target));
  });
  std::vector<V4Node> nearest;
  bool done = false;
  self.run(done, [&](const discovery::Event& event) {
    const auto* const ended = told<discv4::LookupDone>(event);
    if (ended == nullptr || ended->command != lookup) return;
    nearest = ended->nearest;
    done = true;
  });
  return nearest;
}

// A public key: targets of discv4 are no ids.
discv4::KeyBytes target_of(const std::string& text) {
  discv4::KeyBytes out;
  if (text.empty()) {
    runtime::OsEntropy{}.fill(out);
  } else if (text.starts_with("enode://") || text.starts_with("enr:")) {
    out = parse_v4_node("--target", text).key.xy();
  } else if (!from_hex_into(text, out)) {
    throw std::runtime_error(fmt::format("'{}' is no public key: 128 hexadecimal digits", text));
  }
  return out;
}

int lookup(const DiscvOptions& options) {
  for (const V4Node& node : look_up(options, target_of(options.target))) {
    fmt::print("{}\n", url_of(node));
  }
  return 0;
}

int resolve(const DiscvOptions& options) {
  const V4Node known = parse_v4_node(kNode, options.node);
  DiscvOptions with_node = options;
  with_node.bootnodes.push_back(options.node);
  for (const V4Node& node : look_up(with_node, known.key.xy())) {
    if (node.id != known.id) continue;
    fmt::print("{}\n", url_of(node));
    return 0;
  }
  throw std::runtime_error("nobody who answers has this node");
}

int listen(const DiscvOptions& options) {
  const std::vector<V4Node> boot = boot_nodes(options);
  DiscvNode self{options, DiscvVersion::v4, true};
  self.ask([&](discovery::Host& host, Now now) { host.v4()->bootstrap(now, boot); });
  const auto& own = *self.host().local_record();
  fmt::print("{}\n{}\n",
             url_of(V4Node::of(own.public_key(), {self.local().ip, self.local().port, 0})),
             own->text());
  std::fflush(stdout);
  self.listen([&](const discovery::Event& event) {
    if (const auto* const seen = told<discv4::NodeSeen>(event)) {
      print_seen(*seen->record, seen->standing);
    } else if (const auto* const changed = std::get_if<discovery::RecordChanged>(&event)) {
      fmt::print("{}\n", changed->record->record().text());
    }
    std::fflush(stdout);
  });
  return 0;
}

int crawl(const DiscvOptions& options) { return run_crawl(options, DiscvVersion::v4); }

}  // namespace

void add_discv4(CLI::App& app, DiscvOptions& options, int& status) {
  add_discv(app, "discv4", "Node Discovery v4, asked by hand",
            {.ping = ping,
             .request_record = request_record,
             .lookup = lookup,
             .resolve = resolve,
             .listen = listen,
             .crawl = crawl},
            options, status);
}

}  // namespace ethnet::app
