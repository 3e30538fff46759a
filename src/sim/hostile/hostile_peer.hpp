// HostilePeer: a machine that connects to nodes and misbehaves by one Act. It has the endpoint and
// the sessions of a real node, so that it gets as far as a real attacker would, and in place of
// mini-sync something that lies. Machine of the contract; one thread, the world's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include <base/prng.hpp>
#include <chain/header_input.hpp>
#include <crypto/secp256k1.hpp>
#include <das/dataset.hpp>
#include <machine/concepts.hpp>
#include <protocol/mini_sync/messages.hpp>
#include <session/session.hpp>
#include <transport/quic/endpoint.hpp>
#include <types/genesis.hpp>

#include "act.hpp"
#include "role.hpp"

namespace ethnet::sim {

struct HostileConfig {
  Act act = Act::silence;
  Endpoint local;
  std::shared_ptr<const crypto::SecretKey> key;
  const Genesis* genesis = nullptr;
  Duration beat = milliseconds(100);                // between two misdeeds
  std::function<std::vector<Endpoint>()> targets;   // where its victims are now
  std::function<void(std::string_view)> note = {};  // of each misdeed
  bool calm = false;                                // see set_calm
  Manner manner = Manner::plain;                    // role.hpp
};

class HostilePeer {
 public:
  HostilePeer(Now now, HostileConfig config, SecureRng& rng, Prng prng, Log& log);

  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] Instant next_deadline() const;

  // From now on no new blocks that obey the rules, or honest nodes would never come to rest.
  void set_calm() { config_.calm = true; }
  // Shows the branch that it withholds, which is not made longer any more.
  void release() {
    if (config_.manner != Manner::withholds) return;
    config_.manner = Manner::plain;
    config_.calm = true;
  }
  // Says goodbye to everybody and goes quiet.
  void stop(Now now);
  [[nodiscard]] std::size_t connection_count() const { return quic_->connection_count(); }

 private:
  struct Block {
    chain::HeaderInput input;
    Header header;
    Hash32 hash;
  };

  void route(Now now);
  void on_conn_event(Now now, const transport::ConnEvent& event);
  void on_session_event(Now now, const session::SessionEvent& event);
  void on_request(Now now, session::SessionHandle to, const mini_sync::GetHeaders& request);
  void announce_data(Now now, session::SessionHandle to);
  void on_chunks_asked(Now now, session::SessionHandle to, ByteView payload);
  void dial_targets(Now now);
  void beat(Now now);
  // A misdeed by hand on a connection, or by message on a session.
  [[nodiscard]] bool harm_connection(Now now, transport::ConnHandle conn);
  [[nodiscard]] bool harm_session(Now now, session::SessionHandle to);
  [[nodiscard]] bool say(Now now, session::SessionHandle to, Bytes payload);
  [[nodiscard]] bool announce(Now now, session::SessionHandle to, const Block& block);
  [[nodiscard]] bool send_status(Now now, session::SessionHandle to);
  void flood_requests(Now now, session::SessionHandle to);
  void grow_branch();
  [[nodiscard]] Block child_of(const Header& parent, std::uint64_t timestamp);
  [[nodiscard]] Hash32 any_hash();
  [[nodiscard]] Bytes any_bytes(std::size_t most);
  [[nodiscard]] session::LocalInfo hello() const;
  void misdeed();

  HostileConfig config_;
  Prng prng_;
  std::unique_ptr<quic::QuicEndpoint> quic_;
  std::unique_ptr<session::SessionManager> sessions_;
  std::set<transport::ConnHandle> conns_;  // open ones
  std::vector<session::SessionHandle> sessions_open_;
  std::vector<Block> branch_;  // endless or valid, the lowest first
  std::optional<das::DataSet> data_;
  Instant next_beat_;
  Instant next_dial_;
  bool stopped_ = false;
};

}  // namespace ethnet::sim
