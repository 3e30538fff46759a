// NAT-PMP (RFC 6886): asks the gateway for its external address and for mappings of our UDP ports.
// Sans-I/O: PmpClient is a machine on a socket of its own.
//
//   external address -> a mapping for each port -> PmpMapped; again at half of the shortest
//   lifetime, and every ten minutes
//
// Of an answer counts: that it comes from the gateway, its size, version, what it answers and, of a
// mapping, the port that was asked for. A gateway whose clock runs backwards has lost its mappings
// (3.6): they are asked for at once, though once in a mapping's lifetime at most: a clock that goes
// backwards with every answer is no reason to ask without end.
// One thread. Limits: kMaxMappedPorts; one question at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include <base/bytes.hpp>
#include <base/instant.hpp>
#include <base/result.hpp>
#include <machine/concepts.hpp>
#include <types/endpoint.hpp>

namespace ethnet::nat {

enum class PmpError : std::uint16_t {
  bad_size = 1,
  bad_version,  // or a gateway that speaks PCP alone
  not_ours,     // an answer to another question
  unsupported_version,
  not_authorised,
  network_failure,
  out_of_resources,
  unsupported_opcode,
  unknown_result,
  no_external_address,  // or none that others could reach
  no_port,              // a mapping to port 0 or for no time
  no_answer,
};
[[nodiscard]] const ErrorDomain& error_domain(PmpError);

inline constexpr std::uint16_t kPmpPort = 5351;
inline constexpr std::size_t kMaxMappedPorts = 4;     // QUIC, discovery, and room for RLPx
inline constexpr std::uint32_t kPmpLifetime = 7'200;  // seconds; what RFC 6886, 3.3 recommends

struct PmpAddressAnswer {
  std::uint32_t epoch = 0;  // seconds since the gateway began anew
  IpAddress external;
};
struct PmpMapAnswer {
  std::uint32_t epoch = 0;
  std::uint16_t internal_port = 0;
  std::uint16_t external_port = 0;
  std::uint32_t lifetime = 0;  // seconds
};
inline constexpr std::size_t kPmpMapRequestBytes = 12;
[[nodiscard]] ByteArray<2> encode_pmp_address_request();
// UDP. `lifetime` 0: the mapping goes.
[[nodiscard]] ByteArray<kPmpMapRequestBytes> encode_pmp_map_request(std::uint16_t internal_port,
                                                                    std::uint16_t external_port,
                                                                    std::uint32_t lifetime);
// Errors: PmpError.
[[nodiscard]] Result<PmpAddressAnswer> decode_pmp_address(ByteView packet);
[[nodiscard]] Result<PmpMapAnswer> decode_pmp_mapping(ByteView packet);

// Sent again after 0.25 s, doubled each time, nine times in all (3.1).
inline constexpr Duration kPmpFirstWait = milliseconds(250);
inline constexpr unsigned kPmpTries = 9;
inline constexpr Duration kPmpRetry = seconds(300);        // after a question that failed
inline constexpr Duration kPmpLeastRenewal = seconds(60);  // whatever lifetime a gateway gives
// So that a gateway that has begun anew, or another address of it, is noticed.
inline constexpr Duration kPmpMostRenewal = seconds(600);

struct MappedPort {
  std::uint16_t internal = 0;
  std::uint16_t external = 0;
  friend bool operator==(const MappedPort&, const MappedPort&) = default;
};
struct PmpMapped {
  IpAddress external;
  std::vector<MappedPort> ports;  // in the order in which they were asked for
  std::uint32_t lifetime = 0;     // seconds, the shortest of them; they are asked for again before
};
struct PmpFailed {
  Error why;
};
using PmpEvent = std::variant<PmpMapped, PmpFailed>;

struct PmpCounters {
  std::uint64_t requests = 0;  // datagrams, repeated ones too
  std::uint64_t answers = 0;
  std::uint64_t failures = 0;  // rounds
  std::uint64_t ignored = 0;   // datagrams
  std::uint64_t gateway_restarts = 0;
};

class PmpClient {
 public:
  // CHECK: from one port to kMaxMappedPorts.
  PmpClient(const Endpoint& gateway, std::vector<std::uint16_t> ports);

  void start(Now now) noexcept;
  // Gives the mappings back: a datagram for each, no answer is waited for.
  void stop(Now now) noexcept;
  void handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept;
  void handle_deadline(Now now) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] std::optional<PmpEvent> poll_event();
  [[nodiscard]] Instant next_deadline() const { return deadline_; }

  [[nodiscard]] const PmpCounters& counters() const { return counters_; }

 private:
  // What is asked: the address first, then port after port.
  enum class Phase : std::uint8_t { idle, asking, stopping };
  struct Epoch {
    std::uint32_t seconds = 0;
    Instant at;
  };

  void ask(Now now);
  void handle_datagram(Now now, const Datagram& datagram);
  [[nodiscard]] Result<void> take(Now now, ByteView packet);
  void note_epoch(Now now, std::uint32_t epoch);
  void end_round(Now now);
  void fail_round(Now now, const Error& why);

  Endpoint gateway_;
  std::vector<MappedPort> ports_;  // external 0: none yet
  IpAddress external_;
  Phase phase_ = Phase::idle;
  std::size_t step_ = 0;  // 0: the address; n: port n - 1
  unsigned tries_ = 0;
  bool sends_ = false;
  bool again_ = false;            // the gateway has begun anew
  Instant anew_from_{INT64_MIN};  // before that, nothing is asked anew for it
  std::uint32_t lifetime_ = 0;
  std::optional<Epoch> epoch_;
  Instant deadline_ = Instant::never();
  std::optional<PmpEvent> event_;
  PmpCounters counters_;
};

}  // namespace ethnet::nat
