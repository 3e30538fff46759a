#include "node_runner.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "os.hpp"

namespace ethnet::runtime {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

namespace {

constexpr std::size_t kJobThreads = 2;
constexpr Duration kGoodbye = milliseconds(300);

std::chrono::nanoseconds to_chrono(Duration d) { return std::chrono::nanoseconds{d.ns}; }

Endpoint from_asio(const asio::ip::udp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v4()) {
    ByteArray<4> bytes{};
    const auto raw = address.to_v4().to_bytes();
    std::memcpy(bytes.data(), raw.data(), raw.size());
    return Endpoint{IpAddress::v4(bytes), endpoint.port()};
  }
  ByteArray<16> bytes{};
  const auto raw = address.to_v6().to_bytes();
  std::memcpy(bytes.data(), raw.data(), raw.size());
  return Endpoint{IpAddress::v6(bytes), endpoint.port()};
}

}  // namespace

bool can_reach(const IpAddress& local, const IpAddress& remote) {
  if (local.is_v4() || !remote.is_v4()) return local.is_v4() == remote.is_v4();
  return local.is_unspecified();
}

NodeRunner::NodeRunner(node::Node& node, std::vector<std::unique_ptr<UdpSocket>> sockets,
                       Workers::StoreWork store, EventHandler handler)
    : handler_{std::move(handler)},
      timer_{io_, [this] { on_timer(); }},
      signals_{io_, SIGINT, SIGTERM},
      scratch_(kTransmitBufferBytes),
      pump_{node, *this, scratch_} {
  for (auto& socket : sockets) {
    const int fd = socket->fd();
    sockets_.push_back({std::move(socket), asio::posix::stream_descriptor{io_, fd}});
  }
  workers_ = std::make_unique<Workers>(
      io_, kJobThreads, std::move(store),
      [this](const JobResult& done) {
        pump_.handle_job_done(os_now(), done);
        after_turn();
      },
      [this](const StoreResult& done) {
        if (done.os_error == EMFILE || done.os_error == ENFILE) ++descriptors_exhausted_;
        pump_.handle_store_done(os_now(), done);
        after_turn();
      });
}

NodeRunner::~NodeRunner() {
  workers_.reset();
  for (Socket& socket : sockets_) socket.descriptor.release();  // the UdpSocket closes it
}

void NodeRunner::input(const std::function<void(node::Node&, Now)>& f) {
  const Now now = os_now();
  pump_.input(now, [&](node::Node& node) { f(node, now); });
  after_turn();
}

void NodeRunner::post(std::function<void(node::Node&, Now)> f) {
  asio::post(io_, [this, turn = std::move(f)] { input(turn); });
}

void NodeRunner::after(Duration delay, std::function<void(node::Node&, Now)> f) {
  delayed_.push_back(std::make_unique<asio::steady_timer>(io_, to_chrono(delay)));
  delayed_.back()->async_wait([this, turn = std::move(f)](ErrorCode error) {
    if (!error) input(turn);
  });
}

void NodeRunner::every(Duration period, std::function<void(node::Node&, Now)> f) {
  delayed_.push_back(std::make_unique<asio::steady_timer>(io_));
  turns_.push_back(std::make_unique<const Turn>(std::move(f)));
  repeat(*delayed_.back(), period, *turns_.back());
}

void NodeRunner::repeat(asio::steady_timer& timer, Duration period, const Turn& turn) {
  timer.expires_after(to_chrono(period));
  timer.async_wait([this, &timer, period, &turn](ErrorCode error) {
    if (error) return;
    input(turn);
    repeat(timer, period, turn);
  });
}

void NodeRunner::begin() {
  if (std::exchange(begun_, true)) return;
  wait_signal();
  for (std::size_t i = 0; i < sockets_.size(); ++i) wait_readable(i);
  input([](node::Node&, Now) {});
}

bool NodeRunner::run_until(const std::function<bool()>& done) {
  begin();
  while (!done()) {
    if (stopping_ || io_.run_one() == 0) return false;
  }
  return !stopping_;  // what is done may be the failure that stopped it
}

void NodeRunner::run() {
  begin();
  io_.run();
}

node::NodeSnapshot NodeRunner::snapshot() {
  node::NodeSnapshot out = pump_.machine().snapshot(os_now());
  add_own_counters(out.counters);
  return out;
}

std::vector<node::Counter> NodeRunner::counters() const {
  std::vector<node::Counter> out = pump_.machine().counters();
  add_own_counters(out);
  return out;
}

void NodeRunner::add_own_counters(std::vector<node::Counter>& out) const {
  UdpCounters sum;
  for (const Socket& socket : sockets_) {
    const UdpCounters& c = socket.udp->counters();
    sum.datagrams_in += c.datagrams_in;
    sum.datagrams_out += c.datagrams_out;
    sum.bytes_in += c.bytes_in;
    sum.bytes_out += c.bytes_out;
    sum.send_errors += c.send_errors;
    sum.receive_overflow += c.receive_overflow;
    sum.gso_refused += c.gso_refused;
  }
  out.push_back({"udp.datagrams_in", sum.datagrams_in});
  out.push_back({"udp.datagrams_out", sum.datagrams_out});
  out.push_back({"udp.bytes_in", sum.bytes_in});
  out.push_back({"udp.bytes_out", sum.bytes_out});
  out.push_back({"udp.send_errors", sum.send_errors});
  out.push_back({"udp.receive_overflow", sum.receive_overflow});
  out.push_back({"udp.gso_refused", sum.gso_refused});
  out.push_back({"udp.socket_full", pump_.stats().sink_full});
  out.push_back({"os.descriptors_exhausted", descriptors_exhausted_});
}

void NodeRunner::wait_signal() {
  signals_.async_wait([this](ErrorCode error, int) {
    if (error) return;
    stop();
    wait_signal();
  });
}

void NodeRunner::stop() {
  if (std::exchange(stopping_, true)) {
    io_.stop();
    return;
  }
  if (on_stop_) on_stop_();
  // Posted, since an event handler may be the caller, in the middle of a turn.
  asio::post(io_, [this] {
    input([](node::Node& node, Now now) { node.shut_down(now); });
    stop_timer_.expires_after(to_chrono(kGoodbye));
    stop_timer_.async_wait([this](ErrorCode) { io_.stop(); });
  });
}

void NodeRunner::wait_readable(std::size_t index) {
  sockets_[index].descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                        [this, index](ErrorCode error) {
                                          if (error) return;
                                          read(index);
                                          wait_readable(index);
                                        });
}

void NodeRunner::read(std::size_t index) {
  // One read a turn: then timers and workers have theirs.
  sockets_[index].udp->receive(
      [this](std::span<const Datagram> batch) { pump_.handle_datagrams(os_now(), batch); });
  after_turn();
}

void NodeRunner::wait_writable(std::size_t index) {
  sockets_[index].descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                                        [this](ErrorCode error) {
                                          full_socket_.reset();
                                          if (error) return;
                                          pump_.handle_writable(os_now());
                                          after_turn();
                                        });
}

// That of its port; of several, that of the family.
std::size_t NodeRunner::socket_for(const Transmit& transmit) const {
  std::size_t index = 0;
  bool has_port = false;
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    const Endpoint& local = sockets_[i].udp->local();
    const bool is_port = local.port == transmit.local.port;
    if (has_port && !is_port) continue;
    const bool is_family = local.ip.is_v4() == transmit.remote.ip.is_v4();
    if (is_family || (is_port && !has_port)) index = i;
    has_port = has_port || is_port;
  }
  return index;
}

bool NodeRunner::transmit(const Transmit& transmit, ByteView bytes) {
  const std::size_t index = socket_for(transmit);
  // What went to another socket leaves first: the order is the node's.
  if (index != queued_socket_ && !flush()) return false;
  queued_socket_ = index;
  if (sockets_[index].udp->queue(transmit, bytes)) return true;
  note_full(index);
  return false;
}

bool NodeRunner::flush() {
  if (!queued_socket_ || sockets_[*queued_socket_].udp->flush()) return true;
  note_full(*queued_socket_);
  return false;
}

void NodeRunner::note_full(std::size_t index) {
  if (full_socket_) return;
  full_socket_ = index;
  wait_writable(index);
}

void NodeRunner::event(node::NodeEvent event) {
  if (const auto* wanted = std::get_if<node::ResolveWanted>(&event)) resolve(*wanted);
  if (const auto* texts = std::get_if<node::TextsWanted>(&event)) ask_texts(*texts);
  handler_(event);
}

void NodeRunner::ask_texts(const node::TextsWanted& wanted) {
  const auto tell = [this, question = wanted.question](const TextAnswer& answer) {
    auto outcome = node::TextsOutcome::failed;
    if (answer.outcome == DnsOutcome::found) outcome = node::TextsOutcome::found;
    if (answer.outcome == DnsOutcome::not_found) outcome = node::TextsOutcome::none;
    input([&](node::Node& node, Now now) {
      node.handle_texts(now, question, outcome, answer.texts);
    });
  };
  // Not from inside this call: it may be in the middle of a turn.
  if (dns_) return dns_->ask_texts(wanted.name, tell);
  asio::post(io_, [tell] { tell({}); });
}

void NodeRunner::resolve(const node::ResolveWanted& wanted) {
  ++look_ups_;
  resolver_.async_resolve(
      wanted.host, std::to_string(wanted.port),
      [this, target = wanted.target](ErrorCode error,
                                     const asio::ip::udp::resolver::results_type& results) {
        --look_ups_;
        std::vector<Endpoint> endpoints;
        if (error) {
          note_failed_look_up();
        } else {
          for (const auto& entry : results) {
            const Endpoint endpoint = from_asio(entry.endpoint());
            const auto reaches = [&](const Socket& socket) {
              return can_reach(socket.udp->local().ip, endpoint.ip);
            };
            if (!std::ranges::any_of(sockets_, reaches)) continue;
            endpoints.push_back(endpoint);
            if (entry.endpoint().address().is_v4()) continue;
            const auto scope = entry.endpoint().address().to_v6().scope_id();
            for (Socket& socket : sockets_) {
              socket.udp->remember_scope(endpoint.ip, static_cast<std::uint32_t>(scope));
            }
          }
        }
        input([&](node::Node& node, Now now) { node.handle_resolved(now, target, endpoints); });
      });
}

void NodeRunner::note_failed_look_up() {
  const int free = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  if (free >= 0) {
    ::close(free);
  } else if (errno == EMFILE) {
    ++descriptors_exhausted_;
  }
}

void NodeRunner::after_turn() {
  if (pump_.needs_drain()) {
    asio::post(io_, [this] {
      pump_.resume(os_now());
      after_turn();
    });
  }
  timer_.set(pump_.next_deadline());
}

void NodeRunner::on_timer() {
  const Now now = os_now();
  if (pump_.next_deadline() <= now.mono) pump_.handle_deadline(now);
  after_turn();
}

}  // namespace ethnet::runtime
