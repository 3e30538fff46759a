#include "udp.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ethnet::runtime {
namespace {

// The largest that the kernel gives at once: a datagram, or several of one sender joined by GRO.
constexpr std::size_t kMessageBytes = 65'536;
// One system call takes as many: GRO joins nothing of a crowd of senders. The room for those that
// do not come is never touched and so takes no memory.
constexpr std::size_t kMessages = 16;

IpAddress ip_v4(const in_addr& address) {
  ByteArray<4> bytes{};
  std::memcpy(bytes.data(), &address, 4);
  return IpAddress::v4(bytes);
}
IpAddress ip_v6(const in6_addr& address) {
  ByteArray<16> bytes{};
  std::memcpy(bytes.data(), &address, 16);
  return IpAddress::v6(bytes);
}

bool set(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

void set_buffers(int fd, int bytes) {
  // The first works for root only and beyond the system's limit; the second up to it.
  if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes)) set(fd, SOL_SOCKET, SO_RCVBUF, bytes);
  if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, bytes)) set(fd, SOL_SOCKET, SO_SNDBUF, bytes);
}

void set_ip_options(int fd, bool v6) {
  set(fd, IPPROTO_IP, IP_PKTINFO, 1);
  set(fd, IPPROTO_IP, IP_RECVTOS, 1);
  set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  if (!v6) return;
  set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
}

template <class T>
T read_control(const cmsghdr* header) {
  T value{};
  std::memcpy(&value, CMSG_DATA(header), sizeof value);
  return value;
}

// What the kernel says beside a datagram.
struct Beside {
  IpAddress local;
  std::uint8_t ecn = 0;
  std::size_t segment = 0;
  std::optional<std::uint32_t> overflow;  // datagrams lost since the socket was opened
};

Beside read_beside(msghdr& message) {
  Beside out;
  for (auto* h = CMSG_FIRSTHDR(&message); h != nullptr; h = CMSG_NXTHDR(&message, h)) {
    if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO) {
      out.local = ip_v4(read_control<in_pktinfo>(h).ipi_addr);
    } else if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO) {
      out.local = ip_v6(read_control<in6_pktinfo>(h).ipi6_addr);
    } else if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_TOS) {
      out.ecn = read_control<std::uint8_t>(h) & 3U;
    } else if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_TCLASS) {
      out.ecn = static_cast<std::uint8_t>(read_control<int>(h) & 3);
    } else if (h->cmsg_level == IPPROTO_UDP && h->cmsg_type == UDP_GRO) {
      out.segment = static_cast<std::size_t>(read_control<int>(h));
    } else if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SO_RXQ_OVFL) {
      out.overflow = read_control<std::uint32_t>(h);
    }
  }
  return out;
}

// Where the kernel puts what one call takes.
class Inbox {
 public:
  explicit Inbox(std::byte* buffer) {
    for (std::size_t i = 0; i < kMessages; ++i) {
      Slot& slot = slots_[i];
      slot.vector = {buffer + i * kMessageBytes, kMessageBytes};
      msghdr& message = messages_[i].msg_hdr;
      message.msg_name = &slot.from.storage;
      message.msg_namelen = slot.from.size;
      message.msg_iov = &slot.vector;
      message.msg_iovlen = 1;
      message.msg_control = slot.control.data();
      message.msg_controllen = slot.control.size();
    }
  }
  // How many came; negative as the system call has it.
  int receive(int fd) { return ::recvmmsg(fd, messages_.data(), kMessages, 0, nullptr); }
  [[nodiscard]] const SocketAddress& from(std::size_t i) const { return slots_.at(i).from; }
  [[nodiscard]] Beside beside(std::size_t i) { return read_beside(messages_.at(i).msg_hdr); }
  [[nodiscard]] ByteView bytes(std::size_t i) const {
    return {static_cast<const std::byte*>(slots_.at(i).vector.iov_base), messages_.at(i).msg_len};
  }

 private:
  struct Slot {
    SocketAddress from;
    alignas(cmsghdr) std::array<std::byte, 256> control{};
    iovec vector{};
  };
  std::array<Slot, kMessages> slots_;
  std::array<mmsghdr, kMessages> messages_{};
};

// Writes control messages one after another.
class ControlWriter {
 public:
  explicit ControlWriter(msghdr& message) : message_{message} {
    message_.msg_control = buffer_.data();
    message_.msg_controllen = 0;
  }
  template <class T>
  void add(int level, int type, const T& value) {
    auto* header = reinterpret_cast<cmsghdr*>(buffer_.data() + message_.msg_controllen);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(header), &value, sizeof value);
    message_.msg_controllen += CMSG_SPACE(sizeof value);
  }
  void finish() {
    if (message_.msg_controllen == 0) message_.msg_control = nullptr;
  }

 private:
  msghdr& message_;
  alignas(cmsghdr) std::array<std::byte, 256> buffer_{};
};

}  // namespace

UdpSocket::UdpSocket(const Endpoint& local, UdpOptions options)
    : v6_{!local.ip.is_v4()},
      gso_{options.gso},
      sendmsg_{std::move(options.sendmsg)},
      buffer_{std::make_unique_for_overwrite<std::byte[]>(kMessages * kMessageBytes)} {
  fd_ = ::socket(v6_ ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    throw std::runtime_error(fmt::format("cannot open a UDP socket: {}", std::strerror(errno)));
  }
  set_ip_options(fd_, v6_);
  set_buffers(fd_, options.buffer_bytes);
  set(fd_, SOL_SOCKET, SO_RXQ_OVFL, 1);
  if (options.gro) set(fd_, IPPROTO_UDP, UDP_GRO, 1);
  SocketAddress address = to_socket_address(local, v6_);
  if (::bind(fd_, reinterpret_cast<sockaddr*>(&address.storage), address.size) != 0) {
    const int error = errno;
    ::close(fd_);
    throw std::runtime_error(
        error == EADDRINUSE
            ? fmt::format("port {}/udp is in use", local.port)
            : fmt::format("cannot listen on {}: {}", local.to_string(), std::strerror(error)));
  }
  address.size = sizeof address.storage;
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
  local_ = {local.ip, from_socket_address(address).port};
}

UdpSocket::~UdpSocket() {
  if (fd_ >= 0) ::close(fd_);
}

int UdpSocket::receive_buffer_bytes() const {
  int value = 0;
  socklen_t size = sizeof value;
  ::getsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &value, &size);
  return value;
}

bool UdpSocket::receive(const Visit& visit) {
  Inbox inbox{buffer_.get()};
  const int n = inbox.receive(fd_);
  if (n < 0) return errno == EINTR;
  batch_.clear();
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    const Beside beside = inbox.beside(i);
    if (beside.overflow) {
      counters_.receive_overflow +=
          *beside.overflow - std::exchange(overflow_seen_, *beside.overflow);
    }
    const Endpoint remote = from_socket_address(inbox.from(i));
    scopes_.remember(remote.ip, scope_of(inbox.from(i)));
    const Endpoint local{beside.local, local_.port};
    ByteView rest = inbox.bytes(i);
    const std::size_t segment = beside.segment == 0 ? rest.size() : beside.segment;
    do {
      const std::size_t size = std::min(segment, rest.size());
      batch_.push_back({local, remote, beside.ecn, rest.first(size)});
      rest = rest.subspan(size);
      if (batch_.size() == kMaxDatagramBatch) give(visit);
    } while (!rest.empty());
  }
  if (!batch_.empty()) give(visit);
  return true;
}

void UdpSocket::give(const Visit& visit) {
  counters_.datagrams_in += batch_.size();
  for (const Datagram& datagram : batch_) counters_.bytes_in += datagram.bytes.size();
  visit(batch_);
  batch_.clear();
}

UdpSocket::Sent UdpSocket::send_message(const Transmit& transmit, ByteView bytes, bool segmented) {
  // A record may name an IPv6 address alone, and this socket reaches none.
  if (!v6_ && !transmit.remote.ip.is_v4()) return Sent::failed;
  const std::uint32_t scope = scopes_.find(transmit.remote.ip);
  SocketAddress to = to_socket_address(transmit.remote, v6_, scope);
  iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_name = &to.storage;
  message.msg_namelen = to.size;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  ControlWriter control{message};
  if (segmented) {
    control.add(IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(transmit.segment_size));
  }
  if (!transmit.local.ip.is_unspecified()) {
    const ByteView ip = transmit.local.ip.bytes();
    if (transmit.local.ip.is_v4()) {
      in_pktinfo info{};
      std::memcpy(&info.ipi_spec_dst, ip.data(), 4);
      control.add(IPPROTO_IP, IP_PKTINFO, info);
    } else {
      in6_pktinfo info{};
      std::memcpy(&info.ipi6_addr, ip.data(), 16);
      info.ipi6_ifindex = scope;
      control.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
  }
  if (transmit.ecn != 0) {
    const int ecn = transmit.ecn;
    if (transmit.remote.ip.is_v4()) {
      control.add(IPPROTO_IP, IP_TOS, ecn);
    } else {
      control.add(IPPROTO_IPV6, IPV6_TCLASS, ecn);
    }
  }
  control.finish();
  for (;;) {
    const auto n = sendmsg_ ? sendmsg_(fd_, &message, 0) : ::sendmsg(fd_, &message, 0);
    if (n >= 0) return Sent::yes;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return Sent::full;
    if (!segmented) return Sent::failed;
    if (errno == EMSGSIZE) return Sent::too_large;
    const bool refused = errno == EIO || errno == EINVAL || errno == ENOPROTOOPT;
    return refused ? Sent::no_gso : Sent::failed;
  }
}

bool UdpSocket::send(const Transmit& transmit, ByteView bytes) {
  const bool many = transmit.size > transmit.segment_size;
  if (gso_ && many && sent_segments_ == 0 && refusal_ == Sent::yes) {
    const Sent sent = send_message(transmit, bytes, true);
    if (sent == Sent::full) return false;
    if (sent == Sent::yes || sent == Sent::failed) {
      const std::size_t n = (transmit.size + transmit.segment_size - 1) / transmit.segment_size;
      (sent == Sent::yes ? counters_.datagrams_out : counters_.send_errors) += n;
      if (sent == Sent::yes) counters_.bytes_out += transmit.size;
      return true;
    }
    ++counters_.gso_refused;
    refusal_ = sent;
  }
  ByteView rest = bytes.subspan(sent_segments_ * transmit.segment_size);
  while (!rest.empty()) {
    const std::size_t n = std::min(rest.size(), transmit.segment_size);
    const Sent sent = send_message(transmit, rest.first(n), false);
    if (sent == Sent::full) return false;
    // By itself it goes: this kernel or device cannot do bursts, from now on one by one. It does
    // not go either where the datagram is longer than the path takes, which says nothing of bursts.
    const bool cannot = std::exchange(refusal_, Sent::yes) == Sent::no_gso && sent == Sent::yes;
    gso_ = gso_ && !cannot;
    ++(sent == Sent::yes ? counters_.datagrams_out : counters_.send_errors);
    if (sent == Sent::yes) counters_.bytes_out += n;
    ++sent_segments_;
    rest = rest.subspan(n);
  }
  sent_segments_ = 0;
  return true;
}

bool UdpSocket::queue(const Transmit& transmit, ByteView bytes) {
  if (!queued_.empty() && queued_.add(transmit, bytes)) return true;
  if (!flush()) return false;
  if (gso_ && queued_.add(transmit, bytes)) return true;
  return send(transmit, bytes);
}

bool UdpSocket::flush() {
  if (queued_.empty()) return true;
  if (!send(queued_.burst(), queued_.bytes())) return false;
  queued_.clear();
  return true;
}

}  // namespace ethnet::runtime
