// One UDP socket, non-blocking: batches in (GRO), bursts out (GSO where the kernel has it), with
// the local address, ECN and no fragmentation. Linux. Who waits for it to become readable is the
// runner.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <machine/concepts.hpp>
#include <sys/types.h>
#include <types/endpoint.hpp>

#include "gathering.hpp"
#include "sockaddr.hpp"

struct msghdr;

namespace ethnet::runtime {

struct UdpOptions {
  bool gso = true;  // false: one system call a segment, as on kernels without it
  bool gro = true;
  int buffer_bytes = 4 * 1024 * 1024;
  // Instead of the system's call, for tests: a kernel that refuses.
  std::function<ssize_t(int fd, const msghdr* message, int flags)> sendmsg;
};

struct UdpCounters {
  std::uint64_t datagrams_in = 0;
  std::uint64_t datagrams_out = 0;
  std::uint64_t bytes_in = 0;  // of these datagrams: payload
  std::uint64_t bytes_out = 0;
  std::uint64_t gso_refused = 0;  // bursts that the kernel did not take: sent one by one
  std::uint64_t send_errors = 0;  // dropped: unreachable, too large, ...
  // Dropped by the kernel because the receive buffer was full; known when a later one comes.
  std::uint64_t receive_overflow = 0;
};

class UdpSocket {
 public:
  // Throws std::runtime_error with one clear line ("port 9001/udp is in use").
  // `[::]` is dual stack.
  UdpSocket(const Endpoint& local, UdpOptions options);
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const Endpoint& local() const { return local_; }
  [[nodiscard]] int receive_buffer_bytes() const;
  [[nodiscard]] bool uses_gso() const { return gso_; }
  // Which link a link-local peer is on, where a look-up or a person said so; of those that send to
  // us it is known.
  void remember_scope(const IpAddress& ip, std::uint32_t scope) { scopes_.remember(ip, scope); }
  [[nodiscard]] const UdpCounters& counters() const { return counters_; }

  // At most kMaxDatagramBatch datagrams, valid until it returns.
  using Visit = std::function<void(std::span<const Datagram>)>;
  // One system call: what came of up to 16 senders, in batches to `visit`. False when there was
  // nothing.
  bool receive(const Visit& visit);
  // False when the socket is full: nothing was sent, offer the same again when it is writable.
  // A burst that was sent in part is continued by the next call with the same arguments.
  bool send(const Transmit& transmit, ByteView bytes);
  // The same for a drive loop: equally long datagrams of one path that follow each other leave as
  // one burst, in order with everything else, at the latest by flush(). False as of send(): this
  // one was not taken; what was taken before is kept.
  bool queue(const Transmit& transmit, ByteView bytes);
  // False when the socket is full: what is queued is kept; call it again when it is writable.
  bool flush();

 private:
  enum class Sent : std::uint8_t { yes, full, no_gso, too_large, failed };
  void give(const Visit& visit);
  [[nodiscard]] Sent send_message(const Transmit& transmit, ByteView bytes, bool segmented);

  int fd_ = -1;
  Endpoint local_;
  bool v6_ = false;
  bool gso_;
  std::function<ssize_t(int, const msghdr*, int)> sendmsg_;
  std::size_t sent_segments_ = 0;  // of the burst that was sent in part
  Sent refusal_ = Sent::yes;       // no_gso or too_large: of the burst that goes one by one for it
  Gathering queued_;
  std::unique_ptr<std::byte[]> buffer_;
  std::vector<Datagram> batch_;
  Scopes scopes_;
  UdpCounters counters_;
  std::uint32_t overflow_seen_ = 0;  // the kernel's own count, which wraps
};

}  // namespace ethnet::runtime
