#include "session_machine.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include <base/log.hpp>
#include <machine/checked.hpp>
#include <session/control.hpp>
#include <session/registry.hpp>
#include <session/session.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using session::Capability;
using session::SessionHandle;
using session::SessionManager;
using transport::ConnHandle;
using transport::StreamId;

constexpr std::size_t kMostConnections = 40;
constexpr std::size_t kMostOperations = 4'000;  // of one run
constexpr std::size_t kMemory = 200'000;
constexpr std::size_t kWindow = 64 * 1024;  // what a stream may hold unread

class FixedRng final : public SecureRng {
 public:
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = std::byte{7};
  }
};

// Connections are what the operations make of them; nothing moves by itself.
class Wire final : public transport::Transport {
 public:
  struct Stream {
    Bytes arrived;
    bool fin = false;
  };
  struct Conn {
    Endpoint remote;
    bool acceptor = false;  // we are
    bool open = false;
    std::size_t credit = 40'000;  // for all that we write
    StreamId next_bidirectional = 0;
    StreamId next_unidirectional = 2;
    std::map<StreamId, Stream> streams;
    session::Claim said;  // the last claim of the peer
    StreamId next_theirs = 0;
  };

  Result<ConnHandle> dial(Now, const Endpoint& remote) override {
    if (conns.size() >= kMostConnections) return fail(transport::ConnError::connection_limit);
    return add(remote, false);
  }
  ConnHandle add(const Endpoint& remote, bool acceptor) {
    const ConnHandle handle{next_++, 1};
    Conn& conn = conns[handle];
    conn.remote = remote;
    conn.acceptor = acceptor;
    if (acceptor) {
      conn.next_bidirectional = 1;
      conn.next_unidirectional = 3;
    }
    conn.next_theirs = acceptor ? 2 : 3;
    return handle;
  }
  Result<StreamId> open_stream(ConnHandle handle, transport::StreamKind kind) override {
    Conn& conn = at(handle);
    CHECK(conn.open);
    StreamId& next = kind == transport::StreamKind::bidirectional ? conn.next_bidirectional
                                                                  : conn.next_unidirectional;
    const StreamId id = next;
    next += 4;
    return id;
  }
  std::size_t write(ConnHandle handle, StreamId, ByteView bytes) override {
    Conn& conn = at(handle);
    CHECK(conn.open);
    const std::size_t taken = std::min(conn.credit, bytes.size());
    conn.credit -= taken;
    return taken;
  }
  void finish(ConnHandle handle, StreamId) override { (void)at(handle); }
  ByteView read(ConnHandle handle, StreamId id) override { return at(handle).streams[id].arrived; }
  bool at_end(ConnHandle handle, StreamId id) const override {
    const auto conn = conns.find(handle);
    CHECK(conn != conns.end());
    const auto it = conn->second.streams.find(id);
    return it != conn->second.streams.end() && it->second.fin && it->second.arrived.empty();
  }
  void consume(ConnHandle handle, StreamId id, std::size_t n) override {
    Bytes& arrived = at(handle).streams[id].arrived;
    CHECK(n <= arrived.size());
    arrived = to_bytes(ByteView{arrived}.subspan(n));
  }
  void reset(ConnHandle handle, StreamId, std::uint64_t) override { (void)at(handle); }
  void stop(ConnHandle handle, StreamId, std::uint64_t) override { (void)at(handle); }
  void close(Now, ConnHandle handle, std::uint64_t, std::string_view) override {
    (void)at(handle);  // once, and no more calls for it afterwards
    conns.erase(handle);
    closing.push_back(handle);
  }
  Result<void> export_key(ConnHandle handle, std::string_view, MutByteView out) override {
    CHECK(at(handle).open);
    copy_into(out, Bytes(out.size()));
    return {};
  }
  std::size_t memory_bytes(ConnHandle handle) const override {
    const auto it = conns.find(handle);
    if (it == conns.end()) return 0;
    std::size_t sum = 0;
    for (const auto& [id, stream] : it->second.streams) sum += stream.arrived.size();
    return sum;
  }
  transport::ConnStats stats(ConnHandle) const override { return {}; }
  Conn& at(ConnHandle handle) {
    const auto it = conns.find(handle);
    CHECK(it != conns.end());
    return it->second;
  }

  std::map<ConnHandle, Conn> conns;
  std::deque<ConnHandle> closing;  // Closed{local} is owed

 private:
  std::uint32_t next_ = 1;
};

NodeId identity(std::size_t n) {
  NodeId id;
  id.bytes[0] = static_cast<std::byte>(16 * (1 + n));  // some below ours, some above
  return id;
}

std::shared_ptr<const crypto::SecretKey> our_key() {
  static const auto key = [] {
    ByteArray<32> secret{};
    secret.back() = std::byte{9};
    return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::from_bytes(secret).value());
  }();
  return key;
}

session::Config config() {
  session::Config out;
  out.max_peers = 6;
  out.max_inbound = 4;
  out.max_pending = 12;
  out.max_pending_inbound = 9;
  out.max_pending_per_prefix = 4;
  out.out_budget_bytes = 30'000;
  out.out_budget_messages = 8;
  out.in_budget_bytes = 20'000;
  out.in_budget_messages = 8;
  out.max_memory_bytes = kMemory;
  out.visit_capabilities = {"cc"};
  out.max_visits = 2;
  return out;
}

const std::array<Capability, 3>& capabilities() {
  static const std::array<Capability, 3> all{Capability{"aa", 1U << 16}, Capability{"bb", 1U << 16},
                                             Capability{"cc", 2U << 16}};
  return all;
}

session::LocalInfo local_info(std::size_t offered) {
  session::LocalInfo out;
  out.client = "fuzz/1";
  for (std::size_t i = 0; i < 3; ++i) {
    if ((offered & (std::size_t{1} << i)) != 0) out.capabilities.push_back(capabilities().at(i));
  }
  return out;
}

class Run {
 public:
  explicit Run(ByteView operations) : input_{operations} {
    machine_.machine().set_local(now_, local_info(7));
  }

  SessionRun run() {
    while (!input_.at_end() && told_.operations < kMostOperations) {
      operate(input_.byte());
      ++told_.operations;
      after_input();
      check();
    }
    finish();
    return told_;
  }

 private:
  struct PendingJob {
    Job job;
    ConnHandle conn;
  };
  struct Told {
    NodeId id;
    std::vector<Capability> agreed;
    std::map<Capability, std::uint32_t> next;  // of the payloads' numbers
  };

  SessionManager& manager() { return machine_.machine(); }
  void begin() { machine_.begin_input(now_); }

  static Endpoint address(std::size_t n) {
    if (n % 4 == 3) {
      ByteArray<16> bytes{std::byte{0x20}, std::byte{0x01}};
      bytes[7] = static_cast<std::byte>(n & 4);
      bytes[15] = static_cast<std::byte>(n);
      return {IpAddress::v6(bytes), 9'000};
    }
    return {IpAddress::v4({std::byte{10}, {}, {}, static_cast<std::byte>(n % 16)}),
            static_cast<std::uint16_t>(9'000 + n / 16)};
  }
  std::optional<ConnHandle> any_conn() {
    const std::size_t pick = input_.byte();
    if (wire_.conns.empty()) return std::nullopt;
    auto it = wire_.conns.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(pick % wire_.conns.size()));
    return it->first;
  }
  std::optional<ConnHandle> any_open() {
    const auto conn = any_conn();
    return conn && wire_.at(*conn).open ? conn : std::nullopt;
  }
  std::optional<SessionHandle> any_session() {
    const std::size_t pick = input_.byte();
    const auto all = manager().sessions();
    if (all.empty()) return std::nullopt;
    return all.at(pick % all.size());
  }

  void operate(std::uint8_t code) {
    // What keeps sessions alive has the larger share, or none would get far.
    using Operation = void (Run::*)();
    static constexpr std::array<Operation, 32> kOperations{
        &Run::dial,           &Run::arrive_anywhere,
        &Run::open_dial,      &Run::shake_hands,
        &Run::shake_hands,    &Run::shake_hands,
        &Run::say_frame,      &Run::say_bytes,
        &Run::envelope,       &Run::envelope,
        &Run::envelope,       &Run::envelope,
        &Run::envelope,       &Run::envelope,
        &Run::stream_bytes,   &Run::pass_time,
        &Run::pass_time,      &Run::finish_any_job,
        &Run::finish_any_job, &Run::send,
        &Run::send,           &Run::send,
        &Run::send,           &Run::send,
        &Run::take_events,    &Run::give_credit,
        &Run::give_credit,    &Run::leave,
        &Run::disturb,        &Run::end_by_us,
        &Run::deliver_closed, &Run::set_local};
    (this->*kOperations.at(code % kOperations.size()))();
  }
  void arrive_anywhere() { (void)arrive(address(input_.byte())); }
  void pass_time() { pass(milliseconds(input_.byte() * 20)); }
  void finish_any_job() { finish_job(input_.byte()); }

  void event(ConnHandle conn, transport::ConnEventKind kind) {
    begin();
    current_ = conn;
    manager().handle_conn_event(now_, {conn, std::move(kind)});
    take_jobs();
  }
  // Jobs come out at once, so that it is known for whom.
  void take_jobs() {
    while (auto job = machine_.poll_job()) jobs_.push_back({*std::move(job), current_});
  }

  void dial() {
    const Endpoint remote = address(input_.byte());
    const std::uint8_t who = input_.byte();
    const auto expected = who % 3 == 0 ? std::nullopt : std::optional{identity(who % 12)};
    begin();
    const auto purpose = who < 128 ? session::Purpose::peer : session::Purpose::visit;
    const auto id = manager().dial(now_, remote, expected, purpose);
    if (id) {
      const bool fresh = dials_.insert(*id).second;
      CHECK(fresh);
    }
  }
  std::optional<ConnHandle> arrive(const Endpoint& remote) {
    if (wire_.conns.size() >= kMostConnections || shut_down_) return std::nullopt;
    const ConnHandle conn = wire_.add(remote, true);
    wire_.at(conn).open = true;
    event(conn, transport::Opened{transport::Side::acceptor, {}, remote, now_.mono});
    if (!wire_.conns.contains(conn)) return std::nullopt;
    return conn;
  }
  void open_dial() {
    const auto conn = any_conn();
    if (!conn || wire_.at(*conn).open) return;
    wire_.at(*conn).open = true;
    event(*conn,
          transport::Opened{transport::Side::dialler, {}, wire_.at(*conn).remote, now_.mono});
  }

  void arrived(ConnHandle conn, StreamId stream, ByteView bytes) {
    if (!wire_.conns.contains(conn)) return;
    Bytes& at = wire_.at(conn).streams[stream].arrived;
    append(at, bytes.first(std::min(bytes.size(), kWindow - std::min(kWindow, at.size()))));
    event(conn, transport::Readable{stream});
  }
  void say(ConnHandle conn, ByteView frame) { arrived(conn, 0, frame); }
  void claim(ConnHandle conn, const session::Claim& claim) {
    if (!wire_.conns.contains(conn)) return;
    wire_.at(conn).said = claim;
    if (spoiled_.contains(conn)) spoiled_ids_.insert(claim.id);
    say(conn, session::encode_frame(claim));
  }
  session::Hello hello(std::uint8_t flags) {
    session::Hello out;
    out.client = "peer";
    for (std::size_t i = 0; i < 3; ++i) {
      if ((flags & 7U) != i + 1) out.capabilities.push_back(capabilities().at(i));
    }
    if ((flags & 0x30) == 0x30) out.genesis.bytes[0] = std::byte{1};
    if ((flags & 0xc0) == 0xc0) out.enr = Bytes(100, std::byte{1});
    return out;
  }
  // All the way, unless something stands in the way.
  void shake_hands() {
    const std::uint8_t who = input_.byte();
    const std::uint8_t flags = input_.byte();
    auto conn = (flags & 8) != 0 ? any_open() : arrive(address(input_.byte()));
    if (!conn) return;
    session::Claim said;
    said.id = identity(who % 12);
    if (wire_.at(*conn).acceptor && (flags & 16) != 0) said.wanted = manager().local_id();
    claim(*conn, said);
    finish_all_jobs();
    say(*conn, session::encode_frame(session::Proof{}));
    finish_all_jobs();
    say(*conn, session::encode_frame(hello(flags & 0x37)));
    finish_all_jobs();
    if (said.id < manager().local_id()) {
      say(*conn, session::encode_frame(session::Activate{1, ++sequence_}));
    }
  }
  void say_frame() {
    const auto conn = any_open();
    const std::uint8_t type = input_.byte();
    const std::uint8_t extra = input_.byte();
    if (!conn) return;
    switch (type % 8) {
      case 0: {
        session::Claim said;
        said.id = extra % 16 == 15 ? manager().local_id() : identity(extra % 12);
        if ((extra & 0x80) != 0) said.wanted = manager().local_id();
        if ((extra & 0x40) != 0) said.wanted = identity(extra % 7);
        return claim(*conn, said);
      }
      case 1:
        return say(*conn, session::encode_frame(session::Proof{}));
      case 2:
        return say(*conn, session::encode_frame(hello(extra)));
      case 3:
        return say(*conn, session::encode_frame(session::Activate{extra % 4U, extra / 4U}));
      case 4:
        return say(*conn, session::encode_ping());
      case 5:
      case 6:
        return say(*conn, session::encode_pong());
      default:
        say(*conn, session::encode_disconnect(session::reason_from_wire(extra % 0x30)));
    }
  }
  void say_bytes() {
    const auto conn = any_open();
    const ByteView bytes = input_.bytes(std::min<std::size_t>(input_.byte(), 200));
    if (conn) say(*conn, bytes);
  }

  // A stream of the peer: a new one with the name of a capability, or one that it has.
  StreamId named_stream(ConnHandle conn, std::size_t which) {
    const auto key = std::pair{conn, which};
    if (const auto it = named_.find(key); it != named_.end()) return it->second;
    StreamId& next = wire_.at(conn).next_theirs;
    const StreamId id = next;
    next += 4;
    named_.emplace(key, id);
    const std::string literal = capabilities().at(which).to_string();
    Bytes name{static_cast<std::byte>(literal.size())};
    append(name, text_bytes(literal));
    arrived(conn, id, name);
    return id;
  }
  // Payloads are numbered, so that it is seen when one is lost or overtaken.
  void envelope() {
    const auto conn = any_open();
    const std::size_t which = input_.byte() % 3U;
    const std::size_t size = 4 + input_.byte() * std::size_t{input_.byte()} / 8;
    if (!conn) return;
    const StreamId stream = named_stream(*conn, which);
    if (!wire_.conns.contains(*conn)) return;
    const Bytes& waiting = wire_.at(*conn).streams[stream].arrived;
    if (waiting.size() + size + 4 > kWindow) return;  // it would be cut
    Bytes bytes;
    append_be(bytes, static_cast<std::uint32_t>(size));
    append_be(bytes, numbers_[{*conn, which}]++);
    bytes.resize(4 + size);
    arrived(*conn, stream, bytes);
  }
  void stream_bytes() {
    const auto conn = any_open();
    const std::uint8_t which = input_.byte();
    const ByteView bytes = input_.bytes(std::min<std::size_t>(input_.byte(), 200));
    if (!conn) return;
    // What comes on it is no longer what envelope() says.
    spoiled_.insert(*conn);
    spoiled_ids_.insert(wire_.at(*conn).said.id);
    arrived(*conn, StreamId{which % 24}, bytes);
  }

  void pass(Duration time) {
    // In steps, as timers would: none is overslept by more than a wake-up.
    const Instant until = now_.mono + time;
    while (manager().next_deadline() <= until) {
      now_.mono = std::max(now_.mono, manager().next_deadline());
      machine_.handle_deadline(now_);
      after_input();
      drain_outputs();
      (void)machine_.next_deadline();
    }
    now_.mono = until;
  }

  Bytes output_of(const PendingJob& pending) const {
    if (pending.job.name == "session sign proof") return Bytes(session::kSignatureBytes);
    const auto conn = wire_.conns.find(pending.conn);
    return conn == wire_.conns.end() ? Bytes{} : to_bytes(conn->second.said.id.view());
  }
  void finish_job(std::uint8_t pick) {
    if (jobs_.empty()) return;
    const auto at = jobs_.begin() + (pick / 2) % static_cast<std::ptrdiff_t>(jobs_.size());
    const PendingJob done = std::move(*at);
    jobs_.erase(at);
    const bool fails = pick % 16 == 15 && done.job.name != "session sign proof";
    current_ = done.conn;
    machine_.handle_job_done(now_, {done.job.id, fails ? Bytes{} : output_of(done)});
    take_jobs();
  }
  void finish_all_jobs() {
    while (!jobs_.empty()) finish_job(0);
  }

  void send() {
    const auto handle = any_session();
    const std::size_t which = input_.byte() % 3U;
    const std::size_t size = 1 + input_.byte() * std::size_t{input_.byte()} / 4;
    const auto priority = static_cast<session::Priority>(size % session::kPriorities);
    if (!handle) return;
    begin();
    current_ = {};
    Bytes payload(size);
    const auto sent =
        manager().send(now_, *handle, capabilities().at(which), priority, std::move(payload));
    CHECK(sent || payload.size() == size);  // taken only on success
  }
  void give_credit() {
    const auto conn = any_open();
    const std::size_t more = input_.byte() * std::size_t{64};
    if (!conn) return;
    wire_.at(*conn).credit += more;
    event(*conn, transport::Writable{0});
  }
  void leave() {
    const auto conn = any_conn();
    const std::uint8_t why = input_.byte();
    if (!conn) return;
    wire_.conns.erase(*conn);
    using transport::CloseCause;
    constexpr std::array kCauses{CloseCause::peer,    CloseCause::idle_timeout,
                                 CloseCause::refused, CloseCause::handshake_timeout,
                                 CloseCause::peer,    CloseCause::stateless_reset,
                                 CloseCause::peer,    CloseCause::memory_limit};
    event(*conn, transport::Closed{kCauses.at(why % 8), why, {}});
  }
  void disturb() {
    const auto conn = any_open();
    const std::uint8_t what = input_.byte();
    if (!conn) return;
    const StreamId stream{what / 4 % 16};
    switch (what % 4) {
      case 0:
        return event(*conn, transport::StreamReset{stream, 0});
      case 1:
        wire_.at(*conn).streams[stream].fin = true;
        return event(*conn, transport::Readable{stream});
      case 2:
        return event(*conn, transport::PathChanged{address(what)});
      default:
        return event(*conn, transport::Confirmed{});
    }
  }
  void end_by_us() {
    const auto handle = any_session();
    const std::uint8_t what = input_.byte();
    begin();
    if (what == 255) {
      manager().shut_down(now_);
      shut_down_ = true;
    } else if (handle) {
      manager().disconnect(now_, *handle, session::DisconnectReason::useless_peer);
    }
  }
  void deliver_closed() {
    if (wire_.closing.empty()) return;
    const ConnHandle conn = wire_.closing.front();
    wire_.closing.pop_front();
    event(conn, transport::Closed{transport::CloseCause::local, 0, {}});
  }
  void set_local() {
    const std::uint8_t offered = input_.byte();
    manager().set_local(now_, local_info((offered & 8U) != 0 ? 7 : offered % 8U));
  }

  // A drain may be put off: what is queued must stay within its limits, and be right later.
  void after_input() {
    take_jobs();
    if (!lazy_) drain_events(SIZE_MAX);
  }
  void drain_outputs() {
    take_jobs();
    drain_events(SIZE_MAX);
  }
  void take_events() {
    const std::uint8_t how = input_.byte();
    lazy_ = (how & 1) != 0;
    drain_events(how / 2U);
  }
  void drain_events(std::size_t most) {
    for (std::size_t n = 0; n < most; ++n) {
      current_ = {};
      auto event = machine_.poll_event();
      if (!event) return;
      std::visit([&](const auto& one) { on_event(one); }, *event);
    }
  }
  void on_event(const session::SessionOpened& e) {
    ++told_.opened;
    const bool fresh = open_.emplace(e.session, Told{e.peer.id, e.peer.agreed, {}}).second;
    CHECK(fresh);
    CHECK(!e.peer.agreed.empty() && std::ranges::is_sorted(e.peer.agreed));
    CHECK(e.peer.id != manager().local_id());
    if (!e.peer.inbound) ++dials_opened_;  // which one the event does not say
  }
  void on_event(const session::SessionClosed& e) {
    ++told_.closed;
    if (e.reason == session::DisconnectReason::memory_limit) ++told_.shed;
    const auto it = open_.find(e.session);
    CHECK(it != open_.end() && it->second.id == e.id);
    open_.erase(it);
  }
  void on_event(const session::MessageReceived& e) {
    ++told_.messages;
    const auto it = open_.find(e.session);
    CHECK(it != open_.end());  // not before it opened, not after it closed
    CHECK(std::ranges::binary_search(it->second.agreed, e.capability));
    CHECK(!e.payload.empty());
    if (spoiled_ids_.contains(it->second.id)) return;
    // As they were sent, none left out.
    std::uint32_t& next = it->second.next[e.capability];
    CHECK(load_be<std::uint32_t>(ByteView{e.payload}.first(4)) == next);
    ++next;
  }
  void on_event(const session::SessionWritable& e) {
    const auto it = open_.find(e.session);
    // It may have ended since; then its end is queued behind this.
    CHECK(it != open_.end() && std::ranges::binary_search(it->second.agreed, e.capability));
  }
  void on_event(const session::SessionMoved& e) { CHECK(open_.contains(e.session)); }
  void on_event(const session::DialFailed& e) {
    ++told_.dials_failed;
    const bool was_open = dials_.erase(e.dial_id) == 1;
    CHECK(was_open);
  }
  void on_event(const session::SessionRefused&) { ++told_.refused; }

  void check() {
    const session::SessionSnapshot s = manager().snapshot();
    CHECK(!manager().exceeded_limit());
    const std::size_t active = s.active_inbound + s.active_outbound + s.visits;
    CHECK(s.dialing + s.handshaking + s.proven + active == wire_.conns.size());
    CHECK(s.timers == wire_.conns.size() && s.closing == wire_.closing.size());
    CHECK(s.memory_bytes <= s.memory_limit_bytes);
    CHECK(s.pending_jobs <= jobs_.size());
    CHECK(manager().session_count() == active);
    std::set<NodeId> ids;
    std::size_t sum = 0;
    std::size_t visits = 0;
    for (const SessionHandle handle : manager().sessions()) {
      const session::PeerInfo* const info = manager().find(handle);
      CHECK(info != nullptr && ids.insert(info->id).second);
      visits += info->visit ? 1 : 0;
      CHECK(manager().find(info->id) == handle);
      sum += manager().memory_bytes(handle);
    }
    CHECK(sum <= s.memory_bytes);
    CHECK(visits == s.visits && manager().peer_count() == active - visits);
    if (!lazy_) CHECK(s.queued_events == 0 && open_.size() == active);
  }

  // Everything ends, one way or another, and leaves nothing.
  void finish() {
    lazy_ = false;
    drain_outputs();
    check();
    pass(seconds(6));  // no handshake outlives its deadline
    {
      const session::SessionSnapshot s = manager().snapshot();
      CHECK(s.dialing + s.handshaking + s.proven == 0);
    }
    begin();
    manager().shut_down(now_);
    while (!wire_.closing.empty()) deliver_closed();
    drain_outputs();
    const session::SessionSnapshot s = manager().snapshot();
    CHECK(s.dialing + s.handshaking + s.proven + s.visits == 0);
    CHECK(s.active_inbound + s.active_outbound == 0);
    CHECK(s.closing + s.queued_events + s.pending_jobs + s.timers + s.memory_bytes == 0);
    CHECK(wire_.conns.empty() && open_.empty() && told_.opened == told_.closed);
    CHECK(dials_.size() == dials_opened_);  // each answered once
    CHECK(machine_.next_deadline().is_never());
  }

  Operations input_;
  Now now_{Instant{} + seconds(1'000), UnixTime::from_seconds(1'700'000'000)};
  FixedRng rng_;
  NullLog log_;
  Wire wire_;
  Checked<SessionManager> machine_{config(), our_key(), wire_, rng_, log_};
  std::deque<PendingJob> jobs_;
  ConnHandle current_;
  std::uint64_t sequence_ = 0;
  bool lazy_ = false;
  bool shut_down_ = false;
  SessionRun told_;
  std::set<std::uint64_t> dials_;  // started; those that failed are taken out
  std::size_t dials_opened_ = 0;
  std::map<SessionHandle, Told> open_;
  std::map<std::pair<ConnHandle, std::size_t>, StreamId> named_;
  std::map<std::pair<ConnHandle, std::size_t>, std::uint32_t> numbers_;
  std::set<ConnHandle> spoiled_;
  std::set<NodeId> spoiled_ids_;  // who spoke on those
};

}  // namespace

SessionRun run_sessions(ByteView operations) { return Run{operations}.run(); }

void run_session_machine(ByteView input) { (void)run_sessions(input); }

}  // namespace ethnet::fuzz
