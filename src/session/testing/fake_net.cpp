#include "fake_net.hpp"

#include <algorithm>

#include <crypto/keccak.hpp>

namespace ethnet::session::testing {

using transport::ConnHandle;
using transport::Side;
using transport::StreamId;

namespace {
// The two ends of a connection: an even number the dialler's, the odd one after it the acceptor's.
std::uint64_t other_end(std::uint64_t link) { return link ^ 1; }
std::uint64_t connection(std::uint64_t link) { return link & ~std::uint64_t{1}; }
}  // namespace

Duration FakeNet::draw_delay() {
  return {rng_.between(options_.min_delay.ns, options_.max_delay.ns)};
}

bool FakeNet::is_cut(const Endpoint& a, const Endpoint& b) const {
  return cuts_.contains(std::minmax(a, b));
}
void FakeNet::cut(const Endpoint& a, const Endpoint& b) { cuts_.insert(std::minmax(a, b)); }
void FakeNet::heal(const Endpoint& a, const Endpoint& b) { cuts_.erase(std::minmax(a, b)); }

FakeHost& FakeNet::add_host(const Endpoint& address) {
  auto& host = hosts_[address];
  CHECK(!host);
  host = std::make_unique<FakeHost>(*this, address);
  return *host;
}

void FakeNet::schedule(Instant at, const Endpoint& from, const Endpoint& to,
                       std::function<void(FakeHost&)> run) {
  if (is_cut(from, to) || !hosts_.contains(to)) return;
  actions_.emplace(std::pair{at, next_action_id_++}, Action{to, std::move(run)});
}

FakeHost* FakeNet::run_one() {
  if (actions_.empty() || actions_.begin()->first.first > now_) return nullptr;
  const Action action = std::move(actions_.begin()->second);
  actions_.erase(actions_.begin());
  FakeHost& host = *hosts_.at(action.to);
  action.run(host);
  return &host;
}

void FakeHost::add_conn(std::uint64_t link, Side side, const Endpoint& remote) {
  const ConnHandle handle = conns_.emplace();
  Conn& conn = *conns_.find(handle);
  conn.link = link;
  conn.side = side;
  conn.remote = remote;
  conn.next_bidirectional = side == Side::dialler ? 0 : 1;
  conn.next_unidirectional = side == Side::dialler ? 2 : 3;
  by_link_.emplace(link, handle);
}

ConnHandle FakeHost::handle_of(std::uint64_t link) const {
  const auto it = by_link_.find(link);
  return it == by_link_.end() ? ConnHandle{} : it->second;
}

FakeHost::Conn* FakeHost::find_link(std::uint64_t link) { return conns_.find(handle_of(link)); }

FakeHost::Stream& FakeHost::stream_of(Conn& conn, StreamId id) {
  const auto [it, fresh] = conn.streams.try_emplace(id);
  if (fresh) it->second.credit = net_.options_.stream_window;
  return it->second;
}

// One and a half round trips, as TLS 1.3 over QUIC takes.
Result<ConnHandle> FakeHost::dial(Now now, const Endpoint& remote) {
  const std::uint64_t link = net_.next_link_;
  net_.next_link_ += 2;
  add_conn(link, Side::dialler, remote);
  const Instant there = now.mono + net_.draw_delay();
  const Instant back = there + net_.draw_delay();
  const Instant there_again = back + net_.draw_delay();
  net_.opened_at_[link] = there_again;
  const bool cut = net_.is_cut(address_, remote) || !net_.hosts_.contains(remote);
  if (cut) return handle_of(link);
  net_.schedule(back, remote, address_, [link, remote, began = now.mono](FakeHost& self) {
    Conn* conn = self.find_link(link);
    if (conn == nullptr) return;
    conn->open = true;
    self.events_.push_back(
        {self.handle_of(link), transport::Opened{Side::dialler, self.address_, remote, began}});
  });
  net_.schedule(
      there_again, address_, remote,
      [far = other_end(link), from = address_, began = there](FakeHost& self) {
        self.add_conn(far, Side::acceptor, from);
        self.find_link(far)->open = true;
        self.events_.push_back(
            {self.handle_of(far), transport::Opened{Side::acceptor, self.address_, from, began}});
      });
  return handle_of(link);
}

Result<StreamId> FakeHost::open_stream(ConnHandle handle, transport::StreamKind kind) {
  Conn* conn = conns_.find(handle);
  CHECK(conn != nullptr && conn->open);
  StreamId& next = kind == transport::StreamKind::bidirectional ? conn->next_bidirectional
                                                                : conn->next_unidirectional;
  const StreamId id = next;
  next += 4;
  (void)stream_of(*conn, id);
  return id;
}

std::size_t FakeHost::write(ConnHandle handle, StreamId id, ByteView bytes) {
  Conn* conn = conns_.find(handle);
  CHECK(conn != nullptr);
  Stream& stream = stream_of(*conn, id);
  const std::size_t taken = std::min(bytes.size(), stream.credit);
  if (taken < bytes.size()) stream.wants_writable = true;
  if (taken == 0) return 0;
  stream.credit -= taken;
  Instant at = std::max(net_.now() + net_.draw_delay(), stream.last_arrival);
  at = std::max(at, net_.opened_at_[connection(conn->link)]);
  stream.last_arrival = at;
  net_.schedule(
      at, address_, conn->remote,
      [link = other_end(conn->link), id, data = to_bytes(bytes.first(taken))](FakeHost& self) {
        Conn* to = self.find_link(link);
        if (to == nullptr) return;
        append(self.stream_of(*to, id).arrived, data);
        self.events_.push_back({self.handle_of(link), transport::Readable{id}});
      });
  return taken;
}

void FakeHost::finish(ConnHandle handle, StreamId id) {
  Conn* conn = conns_.find(handle);
  CHECK(conn != nullptr);
  const Instant at = std::max(net_.now() + net_.draw_delay(), stream_of(*conn, id).last_arrival);
  net_.schedule(at, address_, conn->remote, [link = other_end(conn->link), id](FakeHost& self) {
    Conn* to = self.find_link(link);
    if (to == nullptr) return;
    self.stream_of(*to, id).fin = true;
    self.events_.push_back({self.handle_of(link), transport::Readable{id}});
  });
}

ByteView FakeHost::read(ConnHandle handle, StreamId id) {
  Conn* conn = conns_.find(handle);
  CHECK(conn != nullptr);
  return stream_of(*conn, id).arrived;
}

bool FakeHost::at_end(ConnHandle handle, StreamId id) const {
  const Conn* conn = conns_.find(handle);
  CHECK(conn != nullptr);
  const auto it = conn->streams.find(id);
  return it != conn->streams.end() && it->second.fin && it->second.arrived.empty();
}

void FakeHost::consume(ConnHandle handle, StreamId id, std::size_t n) {
  Conn* conn = conns_.find(handle);
  CHECK(conn != nullptr);
  Stream& stream = stream_of(*conn, id);
  CHECK(n <= stream.arrived.size());
  stream.arrived = to_bytes(ByteView{stream.arrived}.subspan(n));
  net_.schedule(net_.now() + net_.draw_delay(), address_, conn->remote,
                [link = other_end(conn->link), id, n](FakeHost& self) {
                  Conn* to = self.find_link(link);
                  if (to == nullptr) return;
                  Stream& back = self.stream_of(*to, id);
                  back.credit += n;
                  if (!back.wants_writable) return;
                  back.wants_writable = false;
                  self.events_.push_back({self.handle_of(link), transport::Writable{id}});
                });
}

void FakeHost::reset(ConnHandle handle, StreamId id, std::uint64_t code) {
  Conn* conn = conns_.find(handle);
  CHECK(conn != nullptr);
  net_.schedule(net_.now() + net_.draw_delay(), address_, conn->remote,
                [link = other_end(conn->link), id, code](FakeHost& self) {
                  if (self.find_link(link) == nullptr) return;
                  self.events_.push_back({self.handle_of(link), transport::StreamReset{id, code}});
                });
}

void FakeHost::stop(ConnHandle handle, StreamId id, std::uint64_t code) { reset(handle, id, code); }

void FakeHost::close(Now now, ConnHandle handle, std::uint64_t code, std::string_view) {
  Conn* conn = conns_.find(handle);
  CHECK(conn != nullptr);
  const std::uint64_t near = conn->link;
  const Instant at = std::max(now.mono + net_.draw_delay(), net_.opened_at_[connection(near)]);
  net_.schedule(at, address_, conn->remote, [link = other_end(near), code](FakeHost& self) {
    if (self.find_link(link) == nullptr) return;
    const ConnHandle gone = self.handle_of(link);
    self.conns_.erase(gone);
    self.by_link_.erase(link);
    self.net_.opened_at_.erase(connection(link));
    self.events_.push_back({gone, transport::Closed{transport::CloseCause::peer, code, {}}});
  });
  conns_.erase(handle);
  by_link_.erase(near);
  events_.push_back({handle, transport::Closed{transport::CloseCause::local, code, {}}});
}

// The same secret on both sides of a connection, another on every other connection.
Result<void> FakeHost::export_key(ConnHandle handle, std::string_view label, MutByteView out) {
  const Conn* conn = conns_.find(handle);
  CHECK(conn != nullptr && conn->open);
  Bytes input;
  append_be(input, connection(conn->link));
  append(input, text_bytes(label));
  const auto digest = crypto::keccak256(input);
  copy_into(out, ByteView{digest}.first(out.size()));
  return {};
}

std::size_t FakeHost::memory_bytes(ConnHandle handle) const {
  const Conn* conn = conns_.find(handle);
  if (conn == nullptr) return 0;
  std::size_t sum = 0;
  for (const auto& [id, stream] : conn->streams) sum += stream.arrived.size();
  return sum;
}

std::optional<transport::ConnEvent> FakeHost::poll_event() {
  if (events_.empty()) return std::nullopt;
  std::optional<transport::ConnEvent> event{std::move(events_.front())};
  events_.pop_front();
  return event;
}

void FakeHost::crash() {
  conns_ = {};
  by_link_.clear();
  events_.clear();
}

}  // namespace ethnet::session::testing
