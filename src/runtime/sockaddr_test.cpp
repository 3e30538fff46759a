#include "sockaddr.hpp"

#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <base/hex.hpp>
#include <gtest/gtest.h>
#include <poll.h>

#include "udp.hpp"

namespace ethnet::runtime {
namespace {

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

TEST(SocketAddress, EveryKindOfAddressComesBackAsItWent) {
  for (const std::string_view text : {"0.0.0.0", "127.0.0.1", "192.0.2.7"}) {
    const Endpoint endpoint{ip(text), 9001};
    EXPECT_EQ(from_socket_address(to_socket_address(endpoint, false)), endpoint);
  }
  for (const std::string_view text : {"192.0.2.7", "::1", "2001:db8::7", "fe80::7"}) {
    const Endpoint endpoint{ip(text), 9001};
    EXPECT_EQ(from_socket_address(to_socket_address(endpoint, true)), endpoint);
  }
  EXPECT_EQ(to_socket_address({ip("192.0.2.7"), 1}, false).storage.ss_family, AF_INET);
  EXPECT_EQ(to_socket_address({ip("192.0.2.7"), 1}, true).storage.ss_family, AF_INET6);
}

TEST(SocketAddress, KeepsTheScopeOfAnIpv6AddressOnly) {
  EXPECT_EQ(scope_of(to_socket_address({ip("fe80::7"), 9001}, true, 3)), 3U);
  EXPECT_EQ(scope_of(to_socket_address({ip("fe80::7"), 9001}, true)), 0U);
  EXPECT_EQ(scope_of(to_socket_address({ip("192.0.2.7"), 9001}, true, 3)), 0U);
  EXPECT_EQ(scope_of(to_socket_address({ip("192.0.2.7"), 9001}, false, 3)), 0U);
}

TEST(SocketAddress, KnowsWhatIsLinkLocal) {
  for (const std::string_view text : {"fe80::", "fe80::1", "febf::1"}) {
    EXPECT_TRUE(is_link_local(ip(text))) << text;
  }
  for (const std::string_view text : {"fec0::1", "fe7f::1", "::1", "169.254.0.1", "254.128.0.1"}) {
    EXPECT_FALSE(is_link_local(ip(text))) << text;
  }
}

TEST(Scopes, RemembersWhereALinkLocalPeerWasHeardLast) {
  Scopes scopes;
  EXPECT_EQ(scopes.find(ip("fe80::1")), 0U);
  scopes.remember(ip("fe80::1"), 2);
  scopes.remember(ip("fe80::2"), 3);
  EXPECT_EQ(scopes.find(ip("fe80::1")), 2U);
  scopes.remember(ip("fe80::1"), 4);
  scopes.remember(ip("fe80::2"), 0);
  EXPECT_EQ(scopes.find(ip("fe80::1")), 4U);
  EXPECT_EQ(scopes.find(ip("fe80::2")), 3U);
  scopes.remember(ip("2001:db8::1"), 2);
  scopes.remember(ip("192.0.2.7"), 2);
  EXPECT_EQ(scopes.size(), 2U);
}

TEST(Scopes, AFloodOfAddressesForgetsTheOldest) {
  Scopes scopes;
  const auto nth = [](std::size_t n) {
    ByteArray<16> bytes{std::byte{0xfe}, std::byte{0x80}};
    store_be<std::uint16_t>(MutByteView{bytes}.last(2), static_cast<std::uint16_t>(n));
    return IpAddress::v6(bytes);
  };
  for (std::size_t i = 0; i < kMaxScopes + 5; ++i) scopes.remember(nth(i), 2);
  EXPECT_EQ(scopes.size(), kMaxScopes);
  EXPECT_EQ(scopes.find(nth(4)), 0U);
  EXPECT_EQ(scopes.find(nth(5)), 2U);
}

// The scope of the address that a send was made to, by a kernel that takes everything.
TEST(Scopes, EverySendToALinkLocalPeerNamesItsLink) {
  std::vector<std::uint32_t> scopes;
  UdpOptions options;
  options.sendmsg = [&](int, const msghdr* message, int) -> ssize_t {
    SocketAddress to;
    std::memcpy(&to.storage, message->msg_name, message->msg_namelen);
    scopes.push_back(scope_of(to));
    return 1;
  };
  UdpSocket socket{{IpAddress::v6({}), 0}, options};
  const Bytes bytes(30);
  const auto send = [&](std::string_view to) {
    ASSERT_TRUE(socket.send({socket.local(), {ip(to), 9001}, 0, 30, 10}, bytes));
  };
  send("fe80::7");
  EXPECT_EQ(scopes, (std::vector<std::uint32_t>{0}));
  socket.remember_scope(ip("fe80::7"), 5);
  send("fe80::7");
  send("2001:db8::7");
  send("192.0.2.7");
  EXPECT_EQ(scopes, (std::vector<std::uint32_t>{0, 5, 0, 0}));
}

struct Link {
  IpAddress ip;
  std::uint32_t index = 0;
};
// A link-local address of this machine.
std::optional<Link> own_link() {
  std::ifstream table{"/proc/net/if_inet6"};
  std::string address;
  std::string index;
  std::string prefix;
  std::string scope;
  std::string rest;
  while (table >> address >> index >> prefix >> scope && std::getline(table, rest)) {
    ByteArray<16> bytes{};
    if (scope != "20" || !from_hex_into(address, bytes)) continue;
    return Link{IpAddress::v6(bytes), static_cast<std::uint32_t>(std::stoul(index, nullptr, 16))};
  }
  return std::nullopt;
}

TEST(Scopes, ALinkLocalPeerIsReachedAndAnsweredOverItsLink) {
  const auto link = own_link();
  if (!link) GTEST_SKIP() << "this machine has no link-local address";
  UdpSocket server{{IpAddress::v6({}), 0}, {}};
  UdpSocket client{{IpAddress::v6({}), 0}, {}};
  const Bytes hello(10, std::byte{1});
  const auto receive = [](UdpSocket& socket) {
    std::optional<Transmit> back;
    pollfd poll{socket.fd(), POLLIN, 0};
    if (::poll(&poll, 1, 5000) != 1) return back;
    socket.receive([&](std::span<const Datagram> batch) {
      back = Transmit{batch.front().local, batch.front().remote, 0, 10, 10};
    });
    return back;
  };
  const Transmit there{client.local(), {link->ip, server.local().port}, 0, 10, 10};
  client.remember_scope(link->ip, link->index);
  ASSERT_TRUE(client.send(there, hello));
  EXPECT_EQ(client.counters().datagrams_out, 1U);
  const auto asked = receive(server);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->remote.ip, link->ip);
  ASSERT_TRUE(server.send(*asked, hello));
  EXPECT_EQ(server.counters().datagrams_out, 1U);
  const auto answer = receive(client);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->remote, (Endpoint{link->ip, server.local().port}));
}

}  // namespace
}  // namespace ethnet::runtime
