#include "asker.hpp"

#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <base/check.hpp>
#include <discovery/kbucket/record.hpp>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace ethnet::bench {
namespace {

using namespace discv5;

constexpr int kTries = 20;
constexpr int kBufferBytes = 4 * 1024 * 1024;

sockaddr_in address_of(const Endpoint& at) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(at.port);
  out.sin_addr.s_addr = htonl(load_be<std::uint32_t>(at.ip.bytes()));
  return out;
}

// Every node in a /24 of its own: tables limit those of one.
IpAddress place_of(std::uint32_t number) {
  return IpAddress::v4({std::byte{127}, static_cast<std::byte>(1 + number / 250),
                        static_cast<std::byte>(number % 250), std::byte{1}});
}

std::shared_ptr<const crypto::SecretKey> key_of(std::uint32_t number) {
  ByteArray<32> bytes{};
  store_be<std::uint64_t>(MutByteView{bytes}.last(8), 1'000 + number);
  return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::from_bytes(bytes).value());
}

}  // namespace

LoopbackSocket::LoopbackSocket() : fd_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
  sockaddr_in any{};
  any.sin_family = AF_INET;
  socklen_t size = sizeof any;
  auto* const generic = reinterpret_cast<sockaddr*>(&any);
  const int on = 1;
  const timeval second{1, 0};
  ::setsockopt(fd_, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &kBufferBytes, sizeof kBufferBytes);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  if (fd_ < 0 || ::bind(fd_, generic, size) != 0 || ::getsockname(fd_, generic, &size) != 0) {
    throw std::runtime_error("no UDP socket");
  }
  port_ = ntohs(any.sin_port);
}

LoopbackSocket::~LoopbackSocket() { ::close(fd_); }

void LoopbackSocket::send(const IpAddress& from, const Endpoint& to, ByteView bytes) const {
  sockaddr_in remote = address_of(to);
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control{};
  msghdr message{};
  message.msg_name = &remote;
  message.msg_namelen = sizeof remote;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_PKTINFO;
  header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  reinterpret_cast<in_pktinfo*>(CMSG_DATA(header))->ipi_spec_dst = address_of({from, 0}).sin_addr;
  if (::sendmsg(fd_, &message, 0) < 0) throw std::runtime_error("a datagram cannot be sent");
}

std::optional<LoopbackSocket::Arrived> LoopbackSocket::receive() {
  iovec part{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(fd_, &message, 0);
  if (size < 0) return {};
  Arrived out{.at = {}, .bytes = ByteView{buffer_}.first(static_cast<std::size_t>(size))};
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
       each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != IPPROTO_IP || each->cmsg_type != IP_PKTINFO) continue;
    ByteArray<4> octets{};
    store_be<std::uint32_t>(
        octets, ntohl(reinterpret_cast<const in_pktinfo*>(CMSG_DATA(each))->ipi_addr.s_addr));
    out.at = IpAddress::v4(octets);
  }
  return out;
}

Asker::Asker(LoopbackSocket& socket, std::uint32_t number, EnrPtr server)
    : socket_{socket},
      key_{key_of(number)},
      place_{place_of(number), socket.port()},
      server_{std::move(server)},
      server_peer_{server_->node_id(),
                   kbucket::endpoint_of(server_->record(), kbucket::RecordPort::udp).value()},
      sessions_{key_,
                std::make_shared<const VerifiedEnr>(
                    EnrBuilder{1}.ip(place_.ip).udp(place_.port).sign(*key_).value()),
                entropy_, SessionLimits{.sessions = 4, .challenges = 4}} {}

std::optional<ByteView> Asker::next_message() {
  for (;;) {
    const auto arrived = socket_.receive();
    if (!arrived) return {};
    if (arrived->at != place_.ip) continue;  // somebody's question to another one
    const auto packet = sessions_.decode(arrived->bytes, in_);
    if (!packet) continue;
    const auto received = sessions_.handle_packet(runtime::os_now(), server_peer_.at, *packet);
    if (!received) continue;
    if (const auto* const message = std::get_if<MessageReceived>(&*received)) {
      const auto said = decode_message(message->plain);
      const auto* const ping = said ? std::get_if<Ping>(&*said) : nullptr;
      if (ping == nullptr) return message->plain;
      send_message(Pong{ping->request_id, 1, server_peer_.at});
      continue;
    }
    const auto* const challenge = std::get_if<ChallengeReceived>(&*received);
    if (challenge == nullptr || !std::exchange(wants_challenge_, false)) continue;
    const auto size = encode_message(Ping{RequestId::of(1), 1}, plain_).value();
    const auto sealed = sessions_.answer_challenge(server_peer_, server_->public_key(), *challenge,
                                                   ByteView{plain_}.first(size), out_);
    socket_.send(place_.ip, server_peer_.at, ByteView{out_}.first(sealed.value().size));
  }
}

void Asker::send_message(const Message& message) {
  const auto size = encode_message(message, plain_).value();
  const auto sealed = sessions_.seal(server_peer_, ByteView{plain_}.first(size), out_);
  socket_.send(place_.ip, server_peer_.at, ByteView{out_}.first(sealed.value().size));
}

void Asker::meet() {
  for (int tries = 0; tries < kTries; ++tries) {
    wants_challenge_ = true;
    const std::size_t size = sessions_.make_random(server_peer_, out_).size;
    socket_.send(place_.ip, server_peer_.at, ByteView{out_}.first(size));
    while (const auto plain = next_message()) {
      if (is_answer(Question::ping, *plain)) return;
    }
  }
  throw std::runtime_error("the server does not take a handshake");
}

bool Asker::is_answer(Question question, ByteView plain) {
  const auto message = decode_message(plain);
  if (!message) return false;
  if (question == Question::ping) {
    const auto* const pong = std::get_if<Pong>(&*message);
    if (pong == nullptr || pong->recipient != place_) return false;
  } else {
    const auto* const nodes = std::get_if<Nodes>(&*message);
    if (nodes == nullptr || nodes->total != 1 || nodes->records.view().size() != 1) return false;
    if (!equal(nodes->records.view().front(), server_->record().encoded())) return false;
  }
  return true;
}

void Asker::send_question(Question question, std::uint64_t number) {
  Message message = Ping{RequestId::of(number), 1};
  if (question == Question::find_node) {
    FindNode find{.request_id = RequestId::of(number), .distances = {}};
    find.distances.push_back(0);
    message = find;
  }
  send_message(message);
}

void Asker::ask(Question question, std::uint64_t count, std::size_t window) {
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  int silences = 0;
  const auto fill = [&](std::uint64_t until) {
    for (; asked < until; ++asked) send_question(question, (std::uint64_t{1} << 63) | asked);
  };
  while (answered < count) {
    if (asked - answered <= window / 2) fill(std::min(count, answered + window));
    const auto plain = next_message();
    if (plain) {
      if (is_answer(question, *plain)) ++answered;
      continue;
    }
    if (++silences == kTries) throw std::runtime_error("the server does not answer any more");
    meet();
    asked = answered;  // what was lost, again
  }
}

}  // namespace ethnet::bench
