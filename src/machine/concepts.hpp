// The contract of a machine: what crosses its border. Every protocol is a sans-I/O state machine;
// see docs/ARCHITECTURE.md, "The contract of a machine". No sockets, executors, callbacks.
//
// Inputs (methods, `noexcept`, Now first): handle_datagrams, handle_bytes, handle_deadline,
//   handle_job_done, handle_store_done, handle_command. An input never calls out or re-enters.
// Outputs (pulled until empty): poll_transmit, poll_event, poll_job, poll_store, next_deadline.
// A machine implements the part that it needs; pump() (pump.hpp) drives whatever is there.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include <base/bytes.hpp>
#include <base/instant.hpp>
#include <types/endpoint.hpp>

namespace ethnet {

// One received UDP datagram; `bytes` lives until the input returns.
struct Datagram {
  Endpoint local;
  Endpoint remote;
  std::uint8_t ecn = 0;  // the two ECN bits of the IP header
  ByteView bytes;
};

// What poll_transmit wrote to the start of its buffer: `size` bytes as datagrams of `segment_size`,
// the last one possibly shorter. All on one path. At most kMaxSegments.
struct Transmit {
  Endpoint local;
  Endpoint remote;
  std::uint8_t ecn = 0;
  std::size_t size = 0;
  std::size_t segment_size = 0;
};

inline constexpr std::size_t kTransmitBufferBytes = 65'536;  // what poll_transmit may rely on
inline constexpr std::size_t kMaxSegments = 64;              // UDP_MAX_SEGMENTS of Linux
inline constexpr std::size_t kMaxDatagramBatch = 64;         // one handle_datagrams after GRO split

// CPU-heavy work that leaves the machine. `work` owns (or shares immutably) all that it touches, is
// pure, and returns the output that comes back by handle_job_done with the same id.
struct Job {
  std::uint64_t id = 0;
  std::string_view name;  // static text, for metrics and traces
  std::function<Bytes()> work;
};
struct JobResult {
  std::uint64_t id = 0;
  Bytes output;
};

// Records to append, as one durable unit. Acknowledged by handle_store_done with the same id, after
// they are on disk; operations are executed and acknowledged in order.
struct StoreOp {
  std::uint64_t id = 0;
  std::vector<Bytes> records;
};
struct StoreResult {
  std::uint64_t id = 0;
  bool ok = true;
  int os_error = 0;  // errno when not ok; else what it had to do without (EMFILE)
};

template <class M>
concept HasDatagrams = requires(M m, Now now, std::span<const Datagram> in, MutByteView out) {
  { m.handle_datagrams(now, in) } noexcept;
  { m.poll_transmit(now, out) } -> std::same_as<std::optional<Transmit>>;
};
template <class M>
concept HasDeadline = requires(M m, const M cm, Now now) {
  { m.handle_deadline(now) } noexcept;
  { cm.next_deadline() } -> std::same_as<Instant>;
};
template <class M>
concept HasJobs = requires(M m, Now now, const JobResult& done) {
  { m.handle_job_done(now, done) } noexcept;
  { m.poll_job() } -> std::same_as<std::optional<Job>>;
};
template <class M>
concept HasStore = requires(M m, Now now, const StoreResult& done) {
  { m.handle_store_done(now, done) } noexcept;
  { m.poll_store() } -> std::same_as<std::optional<StoreOp>>;
};
template <class M>
concept HasEvents = requires(M m) { m.poll_event(); };

}  // namespace ethnet
