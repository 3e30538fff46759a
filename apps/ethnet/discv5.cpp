#include <cstdio>
#include <stdexcept>
#include <vector>

#include <base/hex.hpp>
#include <fmt/format.h>

#include "crawl.hpp"
#include "discv_commands.hpp"
#include "discv_node.hpp"

namespace ethnet::app {
namespace {

using discv5::CallFailed;

std::string text_of(const kbucket::NodeRecord& record) {
  return Enr::decode(record.encoded()).value().text();
}

// The event of discv5, or null.
template <class E>
const E* event_of(const discovery::Event& event) {
  const auto* const of_v5 = std::get_if<discv5::Event>(&event);
  return of_v5 == nullptr ? nullptr : std::get_if<E>(of_v5);
}

void check_started(std::uint64_t call) {
  if (call == 0) throw std::runtime_error("the node cannot be asked");
}

void check_answered(const discovery::Event& event) {
  if (event_of<CallFailed>(event) != nullptr) throw std::runtime_error("the node does not answer");
}

int ping(const DiscvOptions& options) {
  const auto node = parse_reachable_record(options.node);
  DiscvNode self{options, DiscvVersion::v5, false};
  const Instant began = runtime::os_now().mono;
  self.ask([&](discovery::Host& host, Now now) { check_started(host.v5()->ping(now, node)); });
  bool done = false;
  self.run(done, [&](const discovery::Event& event) {
    check_answered(event);
    const auto* const pong = event_of<discv5::PongReceived>(event);
    if (pong == nullptr) return;
    done = true;
    fmt::print("node id     {}\nrecord      {}\nsees us at  {}\ntime        {:.1f} ms\n",
               pong->node.hex(), pong->enr_seq, pong->we_are_seen_at.to_string(),
               static_cast<double>((runtime::os_now().mono - began).ns) / 1e6);
  });
  return 0;
}

// The record that the node has of itself now.
int request_record(const DiscvOptions& options) {
  const auto node = parse_reachable_record(options.node);
  DiscvNode self{options, DiscvVersion::v5, false};
  self.ask(
      [&](discovery::Host& host, Now now) { check_started(host.v5()->request_record(now, node)); });
  bool done = false;
  self.run(done, [&](const discovery::Event& event) {
    check_answered(event);
    const auto* const nodes = event_of<discv5::NodesReceived>(event);
    if (nodes == nullptr) return;
    done = true;
    for (const discv5::FoundRecord& found : nodes->records) {
      if (found.id == node->id()) fmt::print("{}\n", Enr::decode(found.encoded).value().text());
    }
  });
  return 0;
}

int talk(const DiscvOptions& options) {
  const auto node = parse_reachable_record(options.node);
  const auto request = from_hex(options.request);
  if (!request) throw std::runtime_error(fmt::format("'{}' is not hexadecimal", options.request));
  DiscvNode self{options, DiscvVersion::v5, false};
  self.ask([&](discovery::Host& host, Now now) {
    check_started(host.v5()->talk_request(now, node, text_bytes(options.protocol), *request));
  });
  bool done = false;
  self.run(done, [&](const discovery::Event& event) {
    check_answered(event);
    const auto* const answer = event_of<discv5::TalkAnswered>(event);
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
  for (const std::string& text : options.bootnodes) out.push_back(parse_reachable_record(text));
  return out;
}

// Begins when the first boot node has answered.
std::vector<kbucket::RecordPtr> look_up(DiscvNode& self, const DiscvOptions& options,
                                        const NodeId& target) {
  const auto boot = boot_nodes(options);
  if (boot.empty()) throw std::runtime_error("--bootnodes: with whom to begin?");
  self.ask([&](discovery::Host& host, Now now) {
    for (const auto& node : boot) (void)host.v5()->add_boot_node(now, node);
  });
  std::vector<kbucket::RecordPtr> nearest;
  std::uint64_t lookup = 0;
  bool done = false;
  self.run(done, [&](const discovery::Event& event) {
    if (lookup == 0 && event_of<discv5::NodeSeen>(event) != nullptr) {
      self.ask([&](discovery::Host& host, Now now) {
        check_started(lookup = host.v5()->start_lookup(now, target));
      });
    }
    const auto* const ended = event_of<discv5::LookupDone>(event);
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

// The newest record that the network has of a node.
int resolve(const DiscvOptions& options) {
  const auto known = parse_record(options.node);
  DiscvOptions with_node = options;
  with_node.bootnodes.push_back(options.node);
  DiscvNode self{options, DiscvVersion::v5, false};
  for (const auto& record : look_up(self, with_node, known->node_id())) {
    if (record->id() != known->node_id()) continue;
    fmt::print("{}\n", text_of(*record));
    return 0;
  }
  throw std::runtime_error("nobody who answers has this node");
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
    if (const auto* const seen = event_of<discv5::NodeSeen>(event)) {
      fmt::print("node  {}  {}  {}\n", seen->record->id().hex(),
                 seen->record->endpoint().to_string(),
                 seen->standing == kbucket::Standing::reached ? "reached" : "met");
    } else if (const auto* const asked = event_of<discv5::TalkRequested>(event)) {
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
