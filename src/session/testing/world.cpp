#include "world.hpp"

#include <algorithm>

namespace ethnet::session::testing {

Key make_key(std::uint64_t seed) {
  TestRng rng{seed};
  return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(rng));
}

NodeId id_of(const Key& key) { return NodeId{crypto::node_id_of(key->public_key())}; }

std::pair<Key, Key> ordered_keys(std::uint64_t seed) {
  Key a = make_key(2 * seed + 1);
  Key b = make_key(2 * seed + 2);
  if (id_of(b) < id_of(a)) std::swap(a, b);
  return {a, b};
}

Endpoint address(std::uint8_t host, std::uint16_t port) {
  const ByteArray<4> bytes{std::byte{10}, std::byte{0}, std::byte{0}, std::byte{host}};
  return {IpAddress::v4(bytes), port};
}

Capability capability(std::string_view literal) {
  const auto parsed = Capability::parse(literal);
  CHECK(parsed);
  return *parsed;
}

Bytes payload(std::string_view text) { return to_bytes(text_bytes(text)); }

Node::Node(World& world, FakeHost& at, Key key, const Config& config, std::uint64_t seed)
    : host{at},
      world_{world},
      key_{std::move(key)},
      id_{id_of(key_)},
      config_{config},
      seed_{seed} {
  local.client = "ethnet-test/1";
  local.capabilities = {capability("mini-sync/0.1"), capability("echo/1")};
  local.head_number = seed;
  make_machine();
}

void Node::make_machine() {
  rng_ = std::make_unique<TestRng>(seed_ * 1000 + life_);
  machine_ = std::make_unique<Checked<SessionManager>>(config_, key_, host, *rng_, log, gate);
  manager().set_local(world_.now(), local);
}

void Node::restart() {
  host.crash();
  ++life_;
  log_of_events.clear();
  make_machine();
}

Result<std::uint64_t> Node::dial(const Endpoint& remote, std::optional<NodeId> expected,
                                 Purpose purpose) {
  machine_->begin_input(world_.now());
  auto result = manager().dial(world_.now(), remote, expected, purpose);
  drain();
  return result;
}

Result<void> Node::send(SessionHandle session, std::string_view name, std::string_view text,
                        Priority priority) {
  return send_bytes(session, name, payload(text), priority);
}

Result<void> Node::send_bytes(SessionHandle session, std::string_view name, Bytes bytes,
                              Priority priority) {
  machine_->begin_input(world_.now());
  auto result = manager().send(world_.now(), session, capability(name), priority, std::move(bytes));
  drain();
  return result;
}

void Node::disconnect(SessionHandle session, DisconnectReason reason) {
  machine_->begin_input(world_.now());
  manager().disconnect(world_.now(), session, reason);
  drain();
}

void Node::shut_down() {
  machine_->begin_input(world_.now());
  manager().shut_down(world_.now());
  drain();
}

void Node::handle(const transport::ConnEvent& event) {
  machine_->begin_input(world_.now());
  manager().handle_conn_event(world_.now(), event);
  drain();
}

void Node::drain() {
  while (auto job = machine_->poll_job()) {
    const Duration time{
        world_.rng_.between(world_.options_.min_job_time.ns, world_.options_.max_job_time.ns)};
    const Instant done = world_.net.now() + time;
    world_.jobs_.emplace(std::pair{done, world_.next_job_++},
                         World::RunningJob{this, life_, *std::move(job)});
  }
  while (reads_events) {
    auto event = machine_->poll_event();
    if (!event) break;
    log_of_events.push_back(*std::move(event));
  }
  ASSERT_EQ(manager().exceeded_limit(), std::nullopt);
}

std::size_t Node::closed_with(DisconnectReason reason) const {
  const auto closed = events<SessionClosed>();
  return static_cast<std::size_t>(std::ranges::count(closed, reason, &SessionClosed::reason));
}

std::size_t Node::refused_with(DisconnectReason reason) const {
  const auto refused = events<SessionRefused>();
  return static_cast<std::size_t>(std::ranges::count(refused, reason, &SessionRefused::reason));
}

SessionHandle Node::only_session() {
  const auto all = manager().sessions();
  EXPECT_EQ(all.size(), 1U);
  return all.size() == 1 ? all.front() : SessionHandle{};
}

World::World(std::uint64_t seed, const WorldOptions& options)
    : net{seed, options.net}, options_{options}, rng_{Prng{seed}.split("world")} {
  net.set_time(Instant{} + seconds(1000));
}

Node& World::add_node(Key key, const Endpoint& at, const Config& config) {
  auto& node = nodes_[at];
  node = std::make_unique<Node>(*this, net.add_host(at), std::move(key), config, nodes_.size());
  return *node;
}

Instant World::next_time() const {
  Instant next = net.next_action();
  if (!jobs_.empty()) next = std::min(next, jobs_.begin()->first.first);
  for (const auto& [at, node] : nodes_) {
    next = std::min(next, node->machine_->machine().next_deadline());
  }
  return next;
}

bool World::run_due() {
  const Instant time = net.now();
  if (FakeHost* host = net.run_one()) {
    const auto node = nodes_.find(host->address());
    if (node == nodes_.end()) return true;
    while (const auto event = host->poll_event()) node->second->handle(*event);
    return true;
  }
  if (!jobs_.empty() && jobs_.begin()->first.first <= time) {
    const RunningJob done = std::move(jobs_.begin()->second);
    jobs_.erase(jobs_.begin());
    if (done.life != done.node->life_) return true;
    done.node->machine_->handle_job_done(now(), {done.job.id, done.job.work()});
    done.node->drain();
    return true;
  }
  for (const auto& [at, node] : nodes_) {
    // What the host queued for itself (the end of a connection that we closed).
    bool busy = false;
    while (const auto event = node->host.poll_event()) {
      node->handle(*event);
      busy = true;
    }
    if (node->manager().next_deadline() <= time) {
      node->machine_->handle_deadline(now());
      node->drain();
      busy = true;
    }
    if (busy) return true;
  }
  return false;
}

void World::run_for(Duration duration) {
  const Instant end = net.now() + duration;
  while (true) {
    while (run_due()) {
    }
    const Instant next = next_time();
    if (next > end) break;
    net.set_time(std::max(next, net.now()));
  }
  net.set_time(end);
}

void RawPeer::pump() {
  while (const auto event = host_.poll_event()) {
    if (!conn_ && std::holds_alternative<transport::Opened>(event->kind)) conn_ = event->conn;
    if (conn_ && event->conn != *conn_) continue;
    if (const auto* closed = std::get_if<transport::Closed>(&event->kind)) {
      close_code_ = closed->application_code;
      conn_.reset();
    }
  }
}

void RawPeer::forget() {
  conn_.reset();
  close_code_.reset();
  reader_ = {};
}

void RawPeer::start(const Endpoint& remote) {
  forget();
  ASSERT_TRUE(host_.dial(world_.now(), remote));
}

void RawPeer::connect(const Endpoint& remote) {
  start(remote);
  accept();
}

void RawPeer::accept() {
  if (close_code_) forget();
  pump();
  for (int i = 0; i < 100 && !conn_; ++i) {
    world_.run_for(milliseconds(5));
    pump();
  }
  ASSERT_TRUE(conn_);
}

void RawPeer::crash() {
  host_.crash();
  forget();
}

void RawPeer::leave(DisconnectReason reason) {
  pump();
  if (conn_) host_.close(world_.now(), *conn_, static_cast<std::uint64_t>(reason), "");
  pump();
}

void RawPeer::finish(transport::StreamId stream) {
  pump();
  if (conn_) host_.finish(*conn_, stream);
}

void RawPeer::reset(transport::StreamId stream) {
  pump();
  if (conn_) host_.reset(*conn_, stream, 0);
}

void RawPeer::write(transport::StreamId stream, ByteView bytes) {
  pump();
  if (!conn_) return;
  while (!bytes.empty()) {
    const std::size_t n = host_.write(*conn_, stream, bytes);
    bytes = bytes.subspan(n);
    if (n == 0) return;  // the window is used up; what is left is not sent
  }
}

transport::StreamId RawPeer::open(transport::StreamKind kind) {
  pump();
  return conn_ ? *host_.open_stream(*conn_, kind) : -1;
}

std::optional<Frame> RawPeer::poll() {
  pump();
  while (conn_) {
    const ByteView arrived = host_.read(*conn_, 0);
    if (arrived.empty()) break;
    const auto n = reader_.feed(arrived);
    EXPECT_TRUE(n);
    if (!n) break;
    host_.consume(*conn_, 0, *n);
    if (auto frame = reader_.take()) return frame;
  }
  return std::nullopt;
}

std::optional<Frame> RawPeer::hear() {
  for (int i = 0; i < 60; ++i) {
    auto frame = poll();
    if (frame || !conn_) return frame;
    world_.run_for(milliseconds(5));
  }
  return std::nullopt;
}

Bytes RawPeer::read(transport::StreamId stream) {
  pump();
  return conn_ ? to_bytes(host_.read(*conn_, stream)) : Bytes{};
}

void RawPeer::consume(transport::StreamId stream, std::size_t n) {
  if (conn_) host_.consume(*conn_, stream, n);
}

Exporter RawPeer::exporter() const {
  Exporter out{};
  EXPECT_TRUE(conn_ && host_.export_key(*conn_, kExporterLabel, out));
  return out;
}

Proof RawPeer::proof(transport::Side role, const NodeId& other) const {
  return {crypto::sign(*key_, proof_digest(role, exporter(), id(), other).bytes)};
}

Hello RawPeer::hello(const LocalInfo& like) const {
  return {like.client,    like.capabilities, like.genesis, like.fork_id,
          like.head_hash, like.head_number,  like.enr};
}

void RawPeer::exchange_claims() {
  (void)open(transport::StreamKind::bidirectional);
  say(encode_frame(Claim{kProtocolVersion, id(), std::nullopt}));
  const auto claim = hear();
  ASSERT_TRUE(claim);
  ASSERT_EQ(claim->type, FrameType::claim);
  other_ = decode_claim(claim->body)->id;
  const auto proof_frame = hear();
  ASSERT_TRUE(proof_frame);
  ASSERT_EQ(proof_frame->type, FrameType::proof);
}

void RawPeer::exchange_proofs() {
  say(encode_frame(proof(transport::Side::dialler, other_)));
  const auto hello_frame = hear();
  ASSERT_TRUE(hello_frame);
  ASSERT_EQ(hello_frame->type, FrameType::hello);
}

void RawPeer::shake_hands(const LocalInfo& like) {
  ASSERT_NO_FATAL_FAILURE(exchange_claims());
  ASSERT_NO_FATAL_FAILURE(exchange_proofs());
  say(encode_frame(hello(like)));
}

void RawPeer::answer_hands(const LocalInfo& like) {
  const auto claim = hear();
  ASSERT_TRUE(claim);
  ASSERT_EQ(claim->type, FrameType::claim);
  other_ = decode_claim(claim->body)->id;
  say(encode_frame(Claim{kProtocolVersion, id(), std::nullopt}));
  say(encode_frame(proof(transport::Side::acceptor, other_)));
  for (const FrameType type : {FrameType::proof, FrameType::hello}) {
    const auto frame = hear();
    ASSERT_TRUE(frame);
    ASSERT_EQ(frame->type, type);
  }
  say(encode_frame(hello(like)));
}

void RawPeer::become_active(const LocalInfo& like) {
  ASSERT_NO_FATAL_FAILURE(shake_hands(like));
  if (id() < other_) {
    say(encode_frame(Activate{77, 1}));
    world_.run_for(milliseconds(50));
    return;
  }
  const auto activate = hear();
  ASSERT_TRUE(activate);
  ASSERT_EQ(activate->type, FrameType::activate);
}

std::optional<DisconnectReason> RawPeer::ended() {
  world_.run_for(milliseconds(100));
  pump();
  if (!close_code_) return std::nullopt;
  return reason_from_wire(*close_code_);
}

}  // namespace ethnet::session::testing
