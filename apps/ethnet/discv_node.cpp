#include "discv_node.hpp"

#include <stdexcept>
#include <utility>

#include <apps/common/key_file.hpp>
#include <base/hex.hpp>
#include <fmt/format.h>
#include <types/enode_url.hpp>

namespace ethnet::app {
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

std::shared_ptr<const VerifiedEnr> parse_record(const std::string& text) {
  if (text.starts_with("enode://")) {
    throw std::runtime_error(
        fmt::format("'{}': discv5 needs a node record, enr:…; enode URLs are for discv4", text));
  }
  auto record = VerifiedEnr::parse(text);
  if (!record) {
    throw std::runtime_error(
        fmt::format("'{}' is not a valid node record: {}", text, record.error().message()));
  }
  return std::make_shared<const VerifiedEnr>(*std::move(record));
}

kbucket::RecordPtr parse_reachable_record(const std::string& text) {
  auto record = kbucket::NodeRecord::of(parse_record(text), kbucket::RecordPort::udp);
  if (!record) throw std::runtime_error("the record names no address and UDP port to ask at");
  return record;
}

discv4::V4Node parse_v4_node(const std::string& text) {
  if (text.starts_with("enr:")) {
    const auto record = parse_record(text);
    const auto endpoint = kbucket::endpoint_of(record->record(), kbucket::RecordPort::udp);
    if (!endpoint) throw std::runtime_error("the record names no address and UDP port to ask at");
    return discv4::V4Node::of(record->public_key(),
                              {endpoint->ip, endpoint->port, (*record)->tcp().value_or(0)});
  }
  const auto url = EnodeUrl::parse(text);
  if (!url) throw std::runtime_error(fmt::format("'{}': {}", text, url.error().message()));
  if (!url->ip || url->udp == 0) {
    throw std::runtime_error("an enode URL has to name an IP address and a port here");
  }
  return discv4::V4Node::of(url->key, {*url->ip, url->udp, url->tcp});
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
