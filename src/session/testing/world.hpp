// Session managers on a FakeNet under virtual time: what the session's own tests run on. Also
// RawPeer, a host without a manager, which says on the wire whatever a test wants.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <base/log.hpp>
#include <crypto/secp256k1.hpp>
#include <gtest/gtest.h>
#include <machine/checked.hpp>
#include <types/enr.hpp>

#include "../control.hpp"
#include "../id_proof.hpp"
#include "../session.hpp"
#include "fake_net.hpp"

namespace ethnet::session::testing {

class TestRng final : public SecureRng {
 public:
  explicit TestRng(std::uint64_t seed) : prng_{seed} {}
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next());
  }

 private:
  Prng prng_;
};

// Counts records by message, and what no text of a field may hold.
class CountingLog final : public Log {
 public:
  [[nodiscard]] bool enabled(LogLevel) const noexcept override { return true; }
  void handle(const LogRecord& record) noexcept override {
    ++counts_[std::string{record.message}];
    for (const LogField& field : record.fields) {
      const auto* const text = std::get_if<std::string_view>(&field.value);
      if (text == nullptr) continue;
      for (const char c : *text) raw_control_bytes_ += c < 0x20 || c == 0x7f ? 1 : 0;
    }
  }
  [[nodiscard]] std::size_t raw_control_bytes() const { return raw_control_bytes_; }
  [[nodiscard]] std::size_t count(const std::string& message) const {
    const auto it = counts_.find(message);
    return it == counts_.end() ? 0 : it->second;
  }

 private:
  std::map<std::string, std::size_t> counts_;
  std::size_t raw_control_bytes_ = 0;
};

using Key = std::shared_ptr<const crypto::SecretKey>;
[[nodiscard]] Key make_key(std::uint64_t seed);
[[nodiscard]] NodeId id_of(const Key& key);
// Two keys, the lower node id first.
[[nodiscard]] std::pair<Key, Key> ordered_keys(std::uint64_t seed);
[[nodiscard]] Endpoint address(std::uint8_t host, std::uint16_t port = 9000);
[[nodiscard]] Capability capability(std::string_view literal);
[[nodiscard]] Bytes payload(std::string_view text);

struct WorldOptions {
  NetOptions net;
  Duration min_job_time = microseconds(100);
  Duration max_job_time = microseconds(100);
};

class World;

class Node {
 public:
  Node(World& world, FakeHost& host, Key key, const Config& config, std::uint64_t seed);

  [[nodiscard]] SessionManager& manager() { return machine_->machine(); }
  [[nodiscard]] const NodeId& id() const { return id_; }
  [[nodiscard]] const Endpoint& address() const { return host.address(); }

  // As the public inputs, and the drain afterwards.
  Result<std::uint64_t> dial(const Endpoint& remote, std::optional<NodeId> expected = {},
                             Purpose purpose = Purpose::peer);
  Result<void> send(SessionHandle session, std::string_view capability, std::string_view text,
                    Priority priority = Priority::normal);
  Result<void> send_bytes(SessionHandle session, std::string_view capability, Bytes bytes,
                          Priority priority = Priority::normal);
  void disconnect(SessionHandle session, DisconnectReason reason);
  void shut_down();
  // The process dies and starts again: nobody is told, everything is forgotten.
  void restart();

  template <class E>
  [[nodiscard]] std::vector<E> events() const {
    std::vector<E> out;
    for (const SessionEvent& event : log_of_events) {
      if (const auto* one = std::get_if<E>(&event)) out.push_back(*one);
    }
    return out;
  }
  [[nodiscard]] std::size_t closed_with(DisconnectReason reason) const;
  [[nodiscard]] std::size_t refused_with(DisconnectReason reason) const;
  // The handle of the one active session; fails the test when there is not exactly one.
  [[nodiscard]] SessionHandle only_session();

  FakeHost& host;
  LocalInfo local;
  CountingLog log;
  std::vector<SessionEvent> log_of_events;
  bool reads_events = true;
  const Gate* gate = nullptr;  // of the next life: restart()

 private:
  friend class World;
  void make_machine();
  void drain();
  void handle(const transport::ConnEvent& event);

  World& world_;
  Key key_;
  NodeId id_;
  Config config_;
  std::uint64_t seed_;
  std::uint64_t life_ = 0;
  std::unique_ptr<TestRng> rng_;
  std::unique_ptr<Checked<SessionManager>> machine_;
};

class World {
 public:
  explicit World(std::uint64_t seed = 1, const WorldOptions& options = {});

  Node& add_node(Key key, const Endpoint& at, const Config& config = {});
  FakeHost& add_raw_host(const Endpoint& at) { return net.add_host(at); }

  [[nodiscard]] Now now() const { return {net.now(), UnixTime::from_seconds(1'700'000'000)}; }
  // Everything that happens until then, in order of time.
  void run_for(Duration duration);
  [[nodiscard]] Prng& rng() { return rng_; }

  FakeNet net;

 private:
  friend class Node;
  struct RunningJob {
    Node* node;
    std::uint64_t life;
    Job job;
  };
  [[nodiscard]] Instant next_time() const;
  bool run_due();

  WorldOptions options_;
  Prng rng_;
  std::uint64_t next_job_ = 0;
  std::map<Endpoint, std::unique_ptr<Node>> nodes_;
  std::map<std::pair<Instant, std::uint64_t>, RunningJob> jobs_;
};

// Speaks the wire by hand.
class RawPeer {
 public:
  RawPeer(World& world, FakeHost& host, Key key)
      : world_{world}, host_{host}, key_{std::move(key)} {}

  [[nodiscard]] NodeId id() const { return id_of(key_); }
  // Dials; accept() waits until the connection is open.
  void start(const Endpoint& remote);
  // Dials and waits until the connection is open, or takes the next connection that comes.
  void connect(const Endpoint& remote);
  void accept();
  // The process dies; nobody is told.
  void crash();
  void leave(DisconnectReason reason);  // closes the connection, without a frame
  void finish(transport::StreamId stream);
  void reset(transport::StreamId stream);
  void write(transport::StreamId stream, ByteView bytes);
  void say(ByteView frame) { write(0, frame); }
  transport::StreamId open(transport::StreamKind kind);
  // The next control frame of the other side, if it is there.
  [[nodiscard]] std::optional<Frame> poll();
  // The same; nothing when none has come after a while.
  [[nodiscard]] std::optional<Frame> hear();
  [[nodiscard]] Bytes read(transport::StreamId stream);
  void consume(transport::StreamId stream, std::size_t n);
  [[nodiscard]] Proof proof(transport::Side role, const NodeId& other) const;
  [[nodiscard]] Hello hello(const LocalInfo& like) const;
  // The two halves of what a dialler does that does not know whom it wants: Claim, their Claim and
  // Proof ...
  void exchange_claims();
  // ... then our Proof and their Hello.
  void exchange_proofs();
  // Both, and our Hello.
  void shake_hands(const LocalInfo& like);
  // As the acceptor of a dialler that does not know whom it wants: up to our Hello.
  void answer_hands(const LocalInfo& like);
  // Shakes hands and is activated, or activates.
  void become_active(const LocalInfo& like);
  // How it ended: the close code, once the other side has closed.
  [[nodiscard]] std::optional<DisconnectReason> ended();
  [[nodiscard]] Exporter exporter() const;

 private:
  void pump();
  void forget();

  World& world_;
  FakeHost& host_;
  Key key_;
  std::optional<transport::ConnHandle> conn_;
  std::optional<std::uint64_t> close_code_;
  NodeId other_;
  FrameReader reader_;
};

}  // namespace ethnet::session::testing
