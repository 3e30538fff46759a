#include "discv_node.hpp"

#include <stdexcept>
#include <utility>

#include <apps/common/key_file.hpp>
#include <base/hex.hpp>
#include <fmt/format.h>

namespace ethnet::app {

void check_started(std::uint64_t command) {
  if (command == 0) throw std::runtime_error("the node cannot be asked");
}

void check_answered(bool answered) {
  if (!answered) throw std::runtime_error("the node does not answer");
}

void check_begins_with_somebody(const DiscvOptions& options) {
  if (options.bootnodes.empty()) throw std::runtime_error("--bootnodes: with whom to begin?");
}

void print_seen(const kbucket::NodeRecord& record, kbucket::Standing standing) {
  fmt::print("node  {}  {}  {}\n", record.id().hex(), record.endpoint().to_string(),
             standing == kbucket::Standing::reached ? "reached" : "met");
}

Endpoint parse_own_address(const DiscvOptions& options) {
  const auto address = Endpoint::parse(options.address);
  if (!address) {
    throw std::runtime_error(
        fmt::format("--addr: '{}': {}", options.address, address.error().what()));
  }
  return *address;
}

std::shared_ptr<const crypto::SecretKey> own_key(const DiscvOptions& options, SecureRng& rng) {
  if (!options.key_file.empty()) return read_key(options.key_file);
  return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(rng));
}

// A later run has a later number, whatever it says.
std::shared_ptr<const VerifiedEnr> own_record(const crypto::SecretKey& key, const Endpoint& local) {
  constexpr std::int64_t kNanosecondsOfOne = 1'000'000;
  EnrBuilder builder{static_cast<std::uint64_t>(runtime::os_now().wall.ns / kNanosecondsOfOne)};
  if (!local.ip.is_unspecified()) {
    builder.ip(local.ip);
    local.ip.is_v4() ? builder.udp(local.port) : builder.udp6(local.port);
  }
  auto record = builder.sign(key);
  if (!record) throw std::runtime_error(record.error().message());
  return std::make_shared<const VerifiedEnr>(*std::move(record));
}

DiscvNode::DiscvNode(const DiscvOptions& options, DiscvVersion version, bool keeps_table)
    : socket_{parse_own_address(options), {}}, timeout_seconds_{options.timeout_seconds} {
  const auto key = own_key(options, entropy_);
  host_ = std::make_unique<discovery::Host>(
      runtime::os_now(),
      discovery::HostConfig{.key = key,
                            .local_record = own_record(*key, socket_.local()),
                            .local = {socket_.local()},
                            .v4 = version == DiscvVersion::v4,
                            .v5 = version == DiscvVersion::v5,
                            .keeps_table = keeps_table,
                            .nets = {}},
      entropy_, Prng{entropy_.next()});
  loop_ = std::make_unique<runtime::MachineLoop<discovery::Host>>(
      *host_, socket_, [this](const discovery::Event& event) { handler_(event); });
}

void DiscvNode::run(const bool& done, const Handler& handler) {
  handler_ = handler;
  const Instant until = runtime::os_now().mono + seconds(timeout_seconds_);
  switch (loop_->run([&done] { return done; }, until)) {
    case runtime::LoopEnd::done:
      return;
    case runtime::LoopEnd::time_is_over:
      throw std::runtime_error(fmt::format("no answer within {} s", timeout_seconds_));
    case runtime::LoopEnd::stopped:
      throw std::runtime_error("stopped");
  }
}

void DiscvNode::listen(const Handler& handler) {
  handler_ = handler;
  (void)loop_->run([] { return false; }, Instant::never());
}

std::optional<NodeId> parse_target(const std::string& text) {
  if (text.empty()) return std::nullopt;
  NodeId id;
  if (!from_hex_into(text, id.bytes)) {
    throw std::runtime_error(fmt::format("'{}' is no node id: 64 hexadecimal digits", text));
  }
  return id;
}

}  // namespace ethnet::app
