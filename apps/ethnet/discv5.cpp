#include <algorithm>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <vector>

#include <base/hex.hpp>
#include <fmt/format.h>

#include "crawl.hpp"
#include "discv_commands.hpp"
#include "discv_node.hpp"

namespace ethnet::app {
namespace {

std::string text_of(const kbucket::NodeRecord& record) {
  return Enr::decode(record.encoded()).value().text();
}

template <class E>
const E* told(const discovery::Event& event) {
  return event_of<E, discv5::Event>(event);
}

int ping(const DiscvOptions& options) {
  const auto node = parse_reachable_record(kNode, options.node);
  DiscvNode self{options, DiscvVersion::v5, false};
  const Instant began = runtime::os_now().mono;
  self.ask([&](discovery::Host& host, Now now) { check_started(host.v5()->ping(now, node)); });
  bool done = false;
  self.run(done, [&](const discovery::Event& event) {
    check_answered(told<discv5::CallFailed>(event) == nullptr);
    const auto* const pong = told<discv5::PongReceived>(event);
    if (pong == nullptr) return;
    done = true;
    fmt::print("node id     {}\nrecord      {}\nsees us at  {}\ntime        {:.1f} ms\n",
               pong->node.hex(), pong->enr_seq, pong->we_are_seen_at.to_string(),
               static_cast<double>((runtime::os_now().mono - began).ns) / 1e6);
  });
  return 0;
}

struct OwnRecord {
  bool answered = false;
  std::optional<Enr> record;  // an answer need not have it
};

// What a node has of itself now.
OwnRecord ask_for_record(DiscvNode& self, const kbucket::RecordPtr& node) {
  std::uint64_t call = 0;
  self.ask([&](discovery::Host& host, Now now) {
    check_started(call = host.v5()->request_record(now, node));
  });
  OwnRecord out;
  bool done = false;
  self.run(done, [&](const discovery::Event& event) {
    const auto* const failed = told<discv5::CallFailed>(event);
    if (failed != nullptr && failed->call == call) done = true;
    const auto* const nodes = told<discv5::NodesReceived>(event);
    if (nodes == nullptr || nodes->call != call) return;
    done = out.answered = true;
    const auto own = std::ranges::find(nodes->records, node->id(), &discv5::FoundRecord::id);
    if (own != nodes->records.end()) out.record = Enr::decode(own->encoded).value();
  });
  return out;
}

int request_record(const DiscvOptions& options) {
  const auto node = parse_reachable_record(kNode, options.node);
  DiscvNode self{options, DiscvVersion::v5, false};
  const OwnRecord own = ask_for_record(self, node);
  check_answered(own.answered);
  if (!own.record) throw std::runtime_error("the node answers, but not with its own record");
  fmt::print("{}\n", own.record->text());
  return 0;
}

int talk(const DiscvOptions& options) {
  const auto node = parse_reachable_record(kNode, options.node);
  const auto request = from_hex(options.request);
  if (!request) throw std::runtime_error(fmt::format("'{}' is not hexadecimal", options.request));
  DiscvNode self{options, DiscvVersion::v5, false};
  self.ask([&](discovery::Host& host, Now now) {
    check_started(host.v5()->talk_request(now, node, text_bytes(options.protocol), *request));
  });
  bool done = false;
  self.run(done, [&](const discovery::Event& event) {
    check_answered(told<discv5::CallFailed>(event) == nullptr);
    const auto* const answer = told<discv5::TalkAnswered>(event);
    if (answer == nullptr) return;
    if (answer->response.empty()) {
      throw std::runtime_error(fmt::format("the node does not speak '{}'", options.protocol));
    }
    done = true;
    fmt::print("{}\n", to_hex(answer->response));
  });
  return 0;
}

NodeId random_id() {
  runtime::OsEntropy entropy;
  NodeId id;
  entropy.fill(id.bytes);
  return id;
}

std::vector<kbucket::RecordPtr> boot_nodes(const DiscvOptions& options) {
  std::vector<kbucket::RecordPtr> out;
  for (const std::string& text : options.bootnodes)
    out.push_back(parse_reachable_record(kBootNodes, text));
  return out;
}

// Begins when the first boot node has answered.
std::vector<kbucket::RecordPtr> look_up(DiscvNode& self, const DiscvOptions& options,
                                        const NodeId& target) {
  const auto boot = boot_nodes(options);
  check_begins_with_somebody(options);
  self.ask([&](discovery::Host& host, Now now) {
    for (const auto& node : boot) (void)host.v5()->add_boot_node(now, node);
  });
  std::vector<kbucket::RecordPtr> nearest;
  std::uint64_t lookup = 0;
  bool done = false;
  self.run(done, [&](const discovery::Event& event) {
    if (lookup == 0 && told<discv5::NodeSeen>(event) != nullptr) {
      self.ask([&](discovery::Host& host, Now now) {
        check_started(lookup = host.v5()->start_lookup(now, target));
      });
    }
    const auto* const ended = told<discv5::LookupDone>(event);
    if (ended == nullptr || ended->lookup != lookup) return;
    nearest = ended->nearest;
    done = true;
  });
  return nearest;
}

int lookup(const DiscvOptions& options) {
  const NodeId target = parse_target(options.target).value_or(random_id());
  DiscvNode self{options, DiscvVersion::v5, false};
  for (const auto& record : look_up(self, options, target)) fmt::print("{}\n", text_of(*record));
  return 0;
}

// The newest record of a node: its own word where it answers, at the place that is known or at the
// one that the network tells; else what the network tells.
int resolve(const DiscvOptions& options) {
  const auto known = parse_record(kNode, options.node);
  const auto print = [](const Enr& record) {
    fmt::print("{}\n", record.text());
    return 0;
  };
  DiscvNode self{options, DiscvVersion::v5, false};
  const auto at_known = kbucket::NodeRecord::of(known, kbucket::RecordPort::udp);
  if (at_known != nullptr) {
    if (const OwnRecord own = ask_for_record(self, at_known); own.record) return print(*own.record);
    check_answered(!options.bootnodes.empty());
  }
  const auto nearest = look_up(self, options, known->node_id());
  const auto found = std::ranges::find(nearest, known->node_id(), &kbucket::NodeRecord::id);
  if (found == nearest.end()) throw std::runtime_error("nobody who answers has this node");
  if (const OwnRecord own = ask_for_record(self, *found); own.record) return print(*own.record);
  return print(Enr::decode((*found)->encoded()).value());
}

int listen(const DiscvOptions& options) {
  DiscvNode self{options, DiscvVersion::v5, true};
  const auto boot = boot_nodes(options);
  self.ask([&](discovery::Host& host, Now now) {
    for (const auto& node : boot) (void)host.v5()->add_boot_node(now, node);
    if (!options.protocol.empty()) (void)host.v5()->register_talk(options.protocol);
  });
  fmt::print("{}\n", self.host().local_record()->record().text());
  std::fflush(stdout);
  self.listen([&](const discovery::Event& event) {
    if (const auto* const seen = told<discv5::NodeSeen>(event)) {
      print_seen(*seen->record, seen->standing);
    } else if (const auto* const asked = told<discv5::TalkRequested>(event)) {
      self.ask([&](discovery::Host& host, Now now) {
        (void)host.v5()->answer_talk(now, asked->talk, asked->request);
      });
      fmt::print("talk  {}  {}  {} bytes\n", asked->from.hex(), asked->at.to_string(),
                 asked->request.size());
    } else if (const auto* const changed = std::get_if<discovery::RecordChanged>(&event)) {
      fmt::print("{}\n", changed->record->record().text());
    }
    std::fflush(stdout);
  });
  return 0;
}

int crawl(const DiscvOptions& options) { return run_crawl(options, DiscvVersion::v5); }

}  // namespace

void add_discv5(CLI::App& app, DiscvOptions& options, int& status) {
  CLI::App& group = add_discv(app, "discv5", "Node Discovery v5.1, asked by hand",
                              {.ping = ping,
                               .request_record = request_record,
                               .lookup = lookup,
                               .resolve = resolve,
                               .listen = listen,
                               .crawl = crawl},
                              options, status);
  group.get_subcommand("listen")
      ->add_option("--talk", options.protocol, "Answer TALKREQ of this protocol with its own bytes")
      ->option_text("PROTOCOL");
  CLI::App* const question = group.add_subcommand("talk", "Ask a node in a protocol of its own");
  add_asking_flags(*question, options);
  question->add_option("PROTOCOL", options.protocol, "Name of the protocol")->required();
  question->add_option("REQUEST", options.request, "Bytes to send, hexadecimal")->required();
  question->callback([&] { status = talk(options); });
}

}  // namespace ethnet::app
