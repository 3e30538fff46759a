// QUIC over real sockets of the loopback interface: both families, both at once on one socket, and
// a kernel that takes no bursts.
#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <transport/quic/endpoint.hpp>

#include "os.hpp"
#include "udp.hpp"

namespace ethnet::runtime {
namespace {

using transport::StreamKind;

Endpoint v4(std::uint16_t port = 0) { return {*IpAddress::parse("127.0.0.1"), port}; }
Endpoint v6(std::uint16_t port = 0) { return {*IpAddress::parse("::1"), port}; }
Endpoint any_v6() { return {IpAddress::v6({}), 0}; }

bool has_ipv6() {
  try {
    const UdpSocket probe{v6(), {}};
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

// A socket, the endpoint behind it, and what that reported.
struct Station {
  explicit Station(const Endpoint& local, UdpOptions options = {}) : socket{local, options} {
    quic::EndpointConfig config;
    config.local = {socket.local()};
    endpoint = *quic::QuicEndpoint::make(os_now(), config, entropy, log);
  }

  template <class E>
  [[nodiscard]] const transport::ConnEvent* last() const {
    for (auto it = events.rbegin(); it != events.rend(); ++it) {
      if (std::holds_alternative<E>(it->kind)) return &*it;
    }
    return nullptr;
  }
  void flush() {
    Bytes buffer(kTransmitBufferBytes);
    const Now now = os_now();
    if (endpoint->next_deadline() <= now.mono) endpoint->handle_deadline(now);
    while (const auto burst = endpoint->poll_transmit(now, buffer)) {
      const ByteView bytes = ByteView{buffer}.first(burst->size);
      while (!socket.send(*burst, bytes)) {
        pollfd writable{socket.fd(), POLLOUT, 0};
        (void)::poll(&writable, 1, 100);
      }
    }
    while (auto event = endpoint->poll_event()) events.push_back(std::move(*event));
  }
  void read() {
    while (socket.receive(
        [&](std::span<const Datagram> batch) { endpoint->handle_datagrams(os_now(), batch); })) {
    }
  }

  UdpSocket socket;
  OsEntropy entropy;
  NullLog log;
  std::unique_ptr<quic::QuicEndpoint> endpoint;
  std::deque<transport::ConnEvent> events;
};

// Until `done` says so; false after 20 s.
bool run(std::initializer_list<Station*> stations, const std::function<bool()>& done) {
  const Instant end = os_now().mono + seconds(20);
  while (os_now().mono < end) {
    std::vector<pollfd> readable;
    for (Station* station : stations) {
      station->flush();
      readable.push_back({station->socket.fd(), POLLIN, 0});
    }
    if (done()) return true;
    (void)::poll(readable.data(), readable.size(), 5);
    for (Station* station : stations) station->read();
  }
  return false;
}

Bytes pattern(std::size_t n) {
  Bytes out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>((i * 131 + (i >> 8)) & 0xff);
  return out;
}

// Dials, sends `data` there on one stream, and says whether it arrived as it was.
void expect_transfer(Station& client, Station& server, const Endpoint& target,
                     std::size_t size = 300'000) {
  const auto conn = client.endpoint->dial(os_now(), target);
  ASSERT_TRUE(conn);
  server.events.clear();
  ASSERT_TRUE(run({&client, &server}, [&] {
    return client.last<transport::Confirmed>() != nullptr &&
           server.last<transport::Confirmed>() != nullptr;
  }));
  const auto server_conn = server.last<transport::Confirmed>()->conn;
  const auto stream = client.endpoint->open_stream(*conn, StreamKind::unidirectional);
  ASSERT_TRUE(stream);
  const Bytes data = pattern(size);
  ByteView left = data;
  Bytes got;
  ASSERT_TRUE(run({&client, &server}, [&] {
    left = left.subspan(client.endpoint->write(*conn, *stream, left));
    const ByteView arrived = server.endpoint->read(server_conn, *stream);
    append(got, arrived);
    server.endpoint->consume(server_conn, *stream, arrived.size());
    return got.size() == data.size();
  }));
  EXPECT_TRUE(got == data);
  const auto& opened = std::get<transport::Opened>(server.last<transport::Opened>()->kind);
  EXPECT_EQ(opened.remote.port, client.socket.local().port);
  EXPECT_EQ(opened.remote.ip.is_v4(), target.ip.is_v4());
}

TEST(SocketQuic, DataCrossesIpv4) {
  Station server{v4()};
  Station client{v4()};
  expect_transfer(client, server, server.socket.local());
}

TEST(SocketQuic, DataCrossesIpv6) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6 loopback";
  Station server{v6()};
  Station client{v6()};
  expect_transfer(client, server, server.socket.local());
}

TEST(SocketQuic, OneDualStackSocketServesBothFamilies) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6 loopback";
  Station server{any_v6()};
  const std::uint16_t port = server.socket.local().port;
  Station old_client{v4()};
  expect_transfer(old_client, server, v4(port));
  Station new_client{v6()};
  expect_transfer(new_client, server, v6(port));
  EXPECT_EQ(server.endpoint->connection_count(), 2U);
}

TEST(SocketQuic, ADualStackSocketDialsBothFamilies) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6 loopback";
  Station client{any_v6()};
  Station old_server{v4()};
  expect_transfer(client, old_server, old_server.socket.local());
  client.events.clear();
  Station new_server{v6()};
  expect_transfer(client, new_server, new_server.socket.local());
}

bool is_burst(const msghdr& message) {
  // The kernel's macros want a structure that is not const; nothing is written.
  msghdr copy = message;
  for (auto* h = CMSG_FIRSTHDR(&copy); h != nullptr; h = CMSG_NXTHDR(&copy, h)) {
    if (h->cmsg_level == IPPROTO_UDP && h->cmsg_type == UDP_SEGMENT) return true;
  }
  return false;
}

TEST(SocketQuic, ABurstThatTheKernelRefusesAtRunTimeIsSentOneByOne) {
  for (const int refusal : {EIO, EINVAL, ENOPROTOOPT}) {
    int bursts = 0;
    UdpOptions options;
    // As when a route changes to a device without segmentation offload.
    options.sendmsg = [&](int fd, const msghdr* message, int flags) -> ssize_t {
      if (is_burst(*message) && ++bursts > 3) {
        errno = refusal;
        return -1;
      }
      return ::sendmsg(fd, message, flags);
    };
    Station server{v4()};
    Station client{v4(), options};
    ASSERT_TRUE(client.socket.uses_gso());
    expect_transfer(client, server, server.socket.local());
    EXPECT_EQ(bursts, 4);  // the fourth is refused and no other is tried
    EXPECT_FALSE(client.socket.uses_gso());
    EXPECT_EQ(client.socket.counters().gso_refused, 1U);
    EXPECT_EQ(client.socket.counters().send_errors, 0U);
  }
}

TEST(SocketQuic, ABurstInterruptedByAFullSocketGoesOnWhereItStopped) {
  UdpSocket receiver{v4(), {}};
  int calls = 0;
  UdpOptions options;
  options.sendmsg = [&](int fd, const msghdr* message, int flags) -> ssize_t {
    if (is_burst(*message)) {
      errno = EIO;
      return -1;
    }
    if (++calls == 3) {
      errno = EAGAIN;
      return -1;
    }
    return ::sendmsg(fd, message, flags);
  };
  UdpSocket sender{v4(), options};
  const Bytes burst = pattern(5 * 100);
  const Transmit transmit{sender.local(), receiver.local(), 0, burst.size(), 100};
  EXPECT_FALSE(sender.send(transmit, burst));
  EXPECT_TRUE(sender.send(transmit, burst));
  Bytes got;
  pollfd readable{receiver.fd(), POLLIN, 0};
  while (got.size() < burst.size() && ::poll(&readable, 1, 5000) == 1) {
    receiver.receive([&](std::span<const Datagram> batch) {
      for (const Datagram& datagram : batch) append(got, datagram.bytes);
    });
  }
  EXPECT_TRUE(got == burst);
}

}  // namespace
}  // namespace ethnet::runtime
