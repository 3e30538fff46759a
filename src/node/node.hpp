// Node: the composition root. The only place where one machine's event becomes another's input; it
// routes and decides nothing.
//
//   datagrams -> QuicEndpoint -> SessionManager -> mini_sync::Engine -> ChainManager -> store
//
// A machine itself (src/machine/concepts.hpp): no clock, socket, file or thread. The runtime and
// the simulator drive it through the same pump(). Order at a start: make(), restore() for each
// stored record, start(). One thread owns it. Limits: config.hpp and those of its parts.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>

#include <base/log.hpp>
#include <base/prng.hpp>
#include <base/ring.hpp>
#include <base/secure_rng.hpp>
#include <chain/chain_manager.hpp>
#include <crypto/secp256k1.hpp>
#include <das/sampler.hpp>
#include <discovery/dns/client.hpp>
#include <machine/concepts.hpp>
#include <peers/dial_scheduler.hpp>
#include <peers/rotation.hpp>
#include <peers/score.hpp>
#include <protocol/das_lite/engine.hpp>
#include <protocol/discv_lite/engine.hpp>
#include <protocol/mini_sync/engine.hpp>
#include <session/session.hpp>
#include <transport/quic/endpoint.hpp>
#include <transport/transport_machine.hpp>

#include "block_producer.hpp"
#include "block_view.hpp"
#include "clock_check.hpp"
#include "config.hpp"
#include "dialer.hpp"
#include "events.hpp"
#include "known_lists.hpp"
#include "line_limit.hpp"
#include "refusal_window.hpp"
#include "snapshot.hpp"
#include "udp_discovery.hpp"
#include "upload_target.hpp"

namespace ethnet::node {

// What the node itself counts while it routes; the rest its parts count.
struct NodeCounters {
  std::uint64_t batches_stored = 0;
  std::uint64_t store_errors = 0;
  std::uint64_t sends_deferred = 0;   // the session's budget was used up: offered again
  std::uint64_t sends_dropped = 0;    // the session was gone
  std::uint64_t imports_refused = 0;  // headers of peers that the chain could not take
  std::map<mini_sync::Misbehaviour, std::uint64_t> misbehaved;
  std::map<das_lite::Misbehaviour, std::uint64_t> das_misbehaved;
  std::map<discv_lite::Misbehaviour, std::uint64_t> discovery_misbehaved;
  std::uint64_t clock_suspicions = 0;  // of discv4: ClockSuspect
  std::uint64_t searches = 0;          // look-ups because peers were wanted
  // Nodes of discv5 and discv4 that were seen alive, by whether we can have a session with them.
  std::map<Dialable, std::uint64_t> udp_nodes;
  std::map<Dialable, std::uint64_t> dns_nodes;  // the same of lists in the DNS
  // Headers that reorganisations put on the canonical chain and took off it.
  std::uint64_t reorg_added = 0;
  std::uint64_t reorg_removed = 0;
  // What NodeConfig::netrestrict kept away.
  std::uint64_t outside_in = 0;     // datagrams
  std::uint64_t outside_out = 0;    // likewise
  std::uint64_t outside_dials = 0;  // and addresses that a name had
};

enum class NodeError : std::uint16_t {
  no_das = 1,
  too_many_static_peers,  // kMaxStaticPeers
  outside_netrestrict,
};
[[nodiscard]] const ErrorDomain& error_domain(NodeError);

class Node {
  struct Private {};  // makes the constructor ours alone, std::make_unique included

 public:
  // Errors: chain::RuleError, chain::CheckpointError, quic::TlsError, EnrError.
  [[nodiscard]] static Result<std::unique_ptr<Node>> make(
      Now now, NodeConfig config, std::shared_ptr<const crypto::SecretKey> key, SecureRng& rng,
      Prng prng, Log& log);
  // Over another transport than QUIC: for the simulator.
  [[nodiscard]] static Result<std::unique_ptr<Node>> make(
      Now now, NodeConfig config, std::shared_ptr<const crypto::SecretKey> key, SecureRng& rng,
      Prng prng, Log& log, std::unique_ptr<transport::TransportMachine> transport);
  Node(Private, Now now, NodeConfig config, std::shared_ptr<const crypto::SecretKey> key,
       SecureRng& rng, Prng prng, Log& log, std::unique_ptr<transport::TransportMachine> transport,
       std::unique_ptr<chain::ForkChoiceRule> rule, Bytes enr);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // One record of the store, in order. Errors: those of ChainManager::restore.
  [[nodiscard]] Result<void> restore(ByteView record) { return chain_.restore(record); }
  void start(Now now);

  // The machine.
  void handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  void handle_store_done(Now now, const StoreResult& done) noexcept;
  void handle_resolved(Now now, std::size_t target, std::vector<Endpoint> endpoints) noexcept;
  void handle_texts(Now now, std::uint64_t question, TextsOutcome outcome,
                    std::span<const std::string> texts) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] std::optional<StoreOp> poll_store();
  [[nodiscard]] std::optional<NodeEvent> poll_event();
  [[nodiscard]] Instant next_deadline() const;

  // Commands (node_commands.cpp).
  // A peer is dialled and dialled again, and kept as those that were named at the start are. False:
  // it was one already. Errors: too_many_static_peers.
  [[nodiscard]] Result<bool> add_peer(Now now, StaticPeer peer);
  // It is no static peer any more, and its session ends; discovery may find it again. False: it was
  // neither.
  bool remove_peer(Now now, const StaticPeer& peer);
  // Headers from a file or another local source.
  chain::ImportOutcome import_headers(Now now, std::span<const chain::HeaderInput> headers,
                                      const chain::Cause& cause);
  // A node whose configuration says `produce` does so from start() on, unless it is told to wait.
  void start_producing(Now now) { producer_.start(now); }
  void stop_producing() { producer_.stop(); }
  // Data sets; each gives the number by which events name what it began. Errors: no_das, and those
  // of das_lite::Engine's command of the kind. DataPublished, DataSampled, DataFetched follow.
  [[nodiscard]] Result<std::uint64_t> publish(Now now, Bytes data, std::uint32_t chunk_size);
  [[nodiscard]] Result<std::uint64_t> sample(Now now, const das::DataId& id, std::uint32_t k);
  [[nodiscard]] Result<std::uint64_t> fetch(Now now, const das::DataId& id);
  // Asks the network for the nodes nearest to `target`; the tap of look-ups hears of the end. 0:
  // too many are under way, or there is no discovery.
  [[nodiscard]] std::uint64_t look_up(Now now, const NodeId& target);
  // Where others reach us, as a gateway or a server says: sessions at `at`, discovery at the same
  // address and this port, or, where none is said, the one that it has now. Given up where nobody
  // comes to it (discv5). Nothing happens where it is the same as before and our record names it
  // still, or no address that the whole world could reach.
  void set_external(Now now, const Endpoint& at, std::optional<std::uint16_t> discovery_port);
  // Says goodbye to every peer; poll_transmit carries it.
  void shut_down(Now now);

  // Sees every event of the sessions before it is routed: for checkers, which must not depend on
  // what the node makes of it. The released node has none.
  using SessionTap = std::function<void(const session::SessionEvent&)>;
  void set_session_tap(SessionTap tap) { session_tap_ = std::move(tap); }
  // Hears of every look-up that ends, ours for peers included. The released node has none.
  using LookupTap = std::function<void(const discv_lite::LookupDone&)>;
  void set_lookup_tap(LookupTap tap) { lookup_tap_ = std::move(tap); }

  // Queries.
  [[nodiscard]] const chain::ChainManager& chain() const { return chain_; }
  [[nodiscard]] const session::SessionManager& sessions() const { return *sessions_; }
  // Null where the transport is not QUIC.
  [[nodiscard]] const quic::QuicEndpoint* endpoint() const { return quic_; }
  [[nodiscard]] const mini_sync::Engine& sync() const { return sync_; }
  // What discovery knows, for DiscoveryConfig::saved of the next run; empty where it is off.
  [[nodiscard]] Bytes saved_nodes() const;
  // The same of discv5 and discv4, for UdpDiscoveryConfig::saved.
  [[nodiscard]] Bytes saved_udp_nodes() const {
    return udp_discovery_ ? udp_discovery_->saved_nodes() : Bytes{};
  }
  // For NodeConfig::own_record and known_lists of the next run.
  [[nodiscard]] Bytes own_record() const;
  [[nodiscard]] Bytes known_lists() const { return known_lists_.encode(); }
  // Null where discv-lite is switched off.
  [[nodiscard]] const discv_lite::Engine* discovery() const {
    return discovery_ ? &*discovery_ : nullptr;
  }
  // Null where das-lite is switched off.
  [[nodiscard]] const das_lite::Engine* das() const { return das_ ? &*das_ : nullptr; }
  [[nodiscard]] const peers::ScoreBook& scores() const { return scores_; }
  // Null where no list in the DNS is walked.
  [[nodiscard]] const dns::Client* dns() const { return dns_ ? &*dns_ : nullptr; }
  // Null where neither discv5 nor discv4 is spoken.
  [[nodiscard]] const UdpDiscovery* udp_discovery() const {
    return udp_discovery_ ? &*udp_discovery_ : nullptr;
  }
  [[nodiscard]] const NodeId& id() const { return sessions_->local_id(); }
  [[nodiscard]] const Bytes& enr() const { return enr_; }
  // NodeSnapshot's, and the URL that works on this machine, whatever our record says.
  [[nodiscard]] std::uint16_t discovery_port() const;
  [[nodiscard]] std::string enode() const;
  [[nodiscard]] std::string local_enode() const;
  // In a fixed order, whatever happened.
  [[nodiscard]] std::vector<Counter> counters() const;
  // Remembers what it showed of the fork tree and of refusals, for the next one; changes nothing
  // else.
  [[nodiscard]] NodeSnapshot snapshot(Now now);

 private:
  // NodeConfig::netrestrict holds here: nothing passes from or to elsewhere.
  void take_datagrams(Now now, std::span<const Datagram> datagrams);
  [[nodiscard]] std::optional<Transmit> next_transmit(Now now, MutByteView out);
  [[nodiscard]] bool may_dial(const Endpoint& endpoint);
  // Every dial. Errors: session::SessionError, outside_netrestrict.
  [[nodiscard]] Result<std::uint64_t> dial(Now now, const Endpoint& endpoint,
                                           const std::optional<NodeId>& expected,
                                           session::Purpose purpose = session::Purpose::peer);
  // The day's upload: what is left of it decides what is served.
  void watch_upload(Now now);
  void limit_bandwidth();
  // Moves what came out of one part into the next until nothing moves.
  void route(Now now);
  [[nodiscard]] bool route_transport(Now now);
  [[nodiscard]] bool route_sessions(Now now);
  // node_protocols.cpp
  [[nodiscard]] bool route_protocols(Now now);
  [[nodiscard]] bool route_sync(Now now);
  [[nodiscard]] bool route_das(Now now);
  template <class Engine>
  [[nodiscard]] bool route_outgoing(Now now, Engine& engine, std::string_view name);
  [[nodiscard]] bool route_chain(Now now);
  [[nodiscard]] bool route_dials(Now now);

  void on_session_event(Now now, session::SessionEvent event);
  void on_session_opened(Now now, const session::SessionOpened& opened);
  void on_session_closed(Now now, const session::SessionClosed& closed);
  void on_sync_event(Now now, mini_sync::Event event);
  void on_sync_progress(const mini_sync::SyncProgress& progress);
  void on_das_event(Now now, const das_lite::Event& event);

  // node_discovery.cpp
  void start_discovery(Now now);
  [[nodiscard]] bool route_discovery(Now now);
  void on_discovery_event(Now now, const discv_lite::Event& event);
  void on_contact_wanted(Now now, const discv_lite::ContactWanted& wanted);
  void on_own_address(Now now, const discv_lite::OwnAddress& address);
  void on_seen_at(Now now, const discv_lite::OwnAddress& seen);
  // What the operator said of our address: nobody's votes weigh against it.
  [[nodiscard]] const std::optional<Endpoint>& operators_address() const;
  void on_link_opened(Now now, const session::SessionOpened& opened);
  void on_contact_failed(Now now, const session::DialFailed& failed);
  void put_off(const discv_lite::ContactWanted& wanted);
  [[nodiscard]] std::vector<discv_lite::ContactWanted> take_put_off(
      const std::optional<NodeId>& id, const std::optional<Endpoint>& endpoint);

  // node_udp_discovery.cpp
  void start_udp_discovery(Now now);
  [[nodiscard]] bool route_udp_discovery(Now now);
  void on_udp_event(Now now, const discovery::Event& event);
  void on_clock_suspect(Now now, const discv4::ClockSuspect& suspect);
  void add_udp_candidate(const kbucket::NodeRecord& record, peers::Source source);
  // Whom such a record names is dialled, where there can be a session.
  void add_candidate(const NodeId& id, const Enr& record, const RecordSource& had_from,
                     peers::Source source, std::map<Dialable, std::uint64_t>& seen);
  // Our record gets the next number, if it says something else than the one that is known.
  // `address`: where sessions with us are opened, as others see it; nothing: as before.
  void say_own_address(Now now, const Endpoint& address);
  void refresh_record(Now now, const std::optional<Endpoint>& address);
  void refresh_fork_id(Now now);
  // What our record says at the start, and which number it has: before anybody is told of it.
  void settle_record(Now now);
  [[nodiscard]] VerifiedEnr record_with(const std::optional<Endpoint>& address,
                                        std::uint64_t number) const;
  [[nodiscard]] std::uint64_t next_record_number(Now now) const;
  [[nodiscard]] bool is_for_everybody(const std::optional<Endpoint>& address) const;
  [[nodiscard]] bool loses_address(const Enr& record) const;
  void on_address_lost(Now now, const VerifiedEnr& record);
  [[nodiscard]] ForkId own_fork_id() const;
  [[nodiscard]] bool names(const IpAddress& ip) const;
  [[nodiscard]] bool names_discovery(const Endpoint& at) const;  // our record
  // Who is found by its record alone says in it which chain it is on.
  [[nodiscard]] bool is_found_by_record() const { return udp_discovery_ || dns_; }

  // node_dns.cpp
  void start_dns(Now now);
  [[nodiscard]] bool route_dns(Now now);
  [[nodiscard]] kbucket::Scope scope_of_lists() const;
  void on_dns_event(Now now, const dns::ClientEvent& event);

  // Dials whom discovery found, while there are places; looks for more when they run out.
  [[nodiscard]] bool route_candidates(Now now);
  void search(Now now);
  [[nodiscard]] bool is_unwanted(Now now, const NodeId& id) const;
  void on_chain_event(Now now, const chain::ChainEvent& event);
  void on_import(Now now, mini_sync::ImportRequest request);
  void on_head(Now now, const chain::BlockRef& head);
  void on_early(Now now, const session::PeerInfo& peer,
                std::span<const chain::HeaderInput> headers);
  void produce(Now now);
  // What a peer did wrong is counted against it; its session ends if the verdict says so, or
  // because the protocol is done with it.
  void judge(Now now, session::SessionHandle session, peers::Behaviour what, bool ends);
  void rotate(Now now);
  // The operator named it: it is neither banned nor made to leave.
  [[nodiscard]] bool is_named(const NodeId& id) const;
  [[nodiscard]] std::optional<session::DisconnectReason> refuses(Now now, const NodeId& id) const;
  void log_reorg(Now now, const chain::ReorgEvent& reorg);
  void log_session(Now now, std::string_view message, std::initializer_list<LogField> fields);
  void report_suppressed(Now now, bool all);
  void tell(NodeEvent event);
  void refresh_local(Now now);

  // The sessions' way to ask refuses().
  class Gate final : public session::Gate {
   public:
    explicit Gate(const Node& node) : node_{node} {}
    [[nodiscard]] std::optional<session::DisconnectReason> refuses(
        Now now, const NodeId& id) const override {
      return node_.refuses(now, id);
    }

   private:
    const Node& node_;
  };

  NodeConfig config_;
  std::shared_ptr<const crypto::SecretKey> key_;
  Log& log_;
  std::unique_ptr<transport::TransportMachine> transport_;
  quic::QuicEndpoint* quic_ = nullptr;  // the same, where it is that
  chain::ChainManager chain_;
  std::shared_ptr<const ForkSchedule> schedule_;
  peers::ScoreBook scores_;
  peers::Rotation rotation_;
  Gate gate_{*this};
  std::unique_ptr<session::SessionManager> sessions_;
  mini_sync::Engine sync_;
  das::SecureIndexSource das_indices_;
  std::optional<das_lite::Engine> das_;
  std::optional<discv_lite::Engine> discovery_;
  std::optional<UdpDiscovery> udp_discovery_;
  bool udp_sends_next_ = false;
  // What set_external() was told: the address and the port of sessions, and that of discovery. The
  // latter is no longer UdpDiscovery::port() where the record has lost the address.
  std::optional<Endpoint> external_;
  std::optional<std::uint16_t> external_discovery_;
  bool external_given_up_ = false;  // nobody came to it
  std::optional<dns::Client> dns_;
  std::map<std::uint64_t, discv_lite::ContactWanted> contacts_;  // of discovery, by our dial
  // And those that wait for another connection to the same node, or its end; lite::kMaxContacts.
  std::map<std::uint64_t, discv_lite::ContactWanted> put_off_;
  peers::DialScheduler scheduler_;
  Prng search_prng_;
  Instant search_at_ = Instant::never();
  std::vector<session::Capability> capabilities_;
  Dialer dialer_;
  BlockProducer producer_;
  Now made_at_;
  std::uint64_t enr_seq_ = 0;  // the highest number of ours, whoever was told it
  Bytes enr_;
  Bytes newest_enr_;  // with the number enr_seq_: enr_, or one that not everybody is told
  KnownLists known_lists_;
  std::set<NodeId> connected_;
  // Batches of the chain that mini-sync waits for: batch -> its import.
  std::map<std::uint64_t, mini_sync::ImportDone> awaited_;
  BoundedQueue<NodeEvent> events_{kMaxNodeEvents};
  std::optional<Fatal> fatal_;  // apart from the queue, which may be full
  LineLimit session_lines_{kMaxSessionLines, kLineWindow};
  LineLimit reorg_lines_{kMaxReorgLines, kLineWindow};
  LineLimit data_lines_{kMaxDataLines, kLineWindow};
  LineLimit clock_step_lines_{1, kClockStepLineWindow};
  ClockCheck clock_check_;
  // What somebody said last of our clock: by how much it is ahead, or behind where this is below 0.
  struct ClockDoubt {
    Instant at;
    std::int64_t ahead_seconds = 0;
  };
  std::optional<ClockDoubt> clock_doubt_;
  UploadTarget upload_target_;
  SessionTap session_tap_;
  LookupTap lookup_tap_;
  NodeCounters counters_;
  BlockViews block_views_;
  RefusalWindow refusals_;
  std::optional<discv_lite::OwnAddress> observed_;  // of the widest scope
  std::optional<SyncView> syncing_;
  bool started_ = false;
  bool stopping_ = false;
};

}  // namespace ethnet::node
