// STUN (RFC 5389): a Binding request to a server, and where it sees us from. Sans-I/O: StunClient
// is a machine on a socket of its own.
//
// Of an answer counts: that it comes from the server, its type, length, magic cookie and the
// transaction id that we drew, and XOR-MAPPED-ADDRESS. MESSAGE-INTEGRITY has no key here, and a
// FINGERPRINT proves nothing; an attribute that has to be understood and is not makes the answer
// void (7.3.3). Servers that have the address in clear alone (RFC 3489) are refused: boxes on the
// way rewrite it.
// One thread. Limits: kMaxStunMessage; one transaction at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include <base/bytes.hpp>
#include <base/instant.hpp>
#include <base/result.hpp>
#include <base/secure_rng.hpp>
#include <machine/concepts.hpp>
#include <types/endpoint.hpp>

namespace ethnet::nat {

enum class StunError : std::uint16_t {
  too_large = 1,      // beyond kMaxStunMessage
  not_stun,           // its header: type bits, length or magic cookie
  not_ours,           // another transaction, or no answer to a Binding request
  truncated,          // an attribute does not end inside the message
  unknown_attribute,  // one that has to be understood
  bad_address,        // XOR-MAPPED-ADDRESS of no form, without address or port
  no_address,         // a success without one
  refused,            // an error response
  no_answer,
};
[[nodiscard]] const ErrorDomain& error_domain(StunError);

inline constexpr std::size_t kStunHeaderBytes = 20;
inline constexpr std::size_t kMaxStunMessage =
    1280;  // RFC 5389, 7.1: over IPv6; none is fragmented
using StunTransaction = ByteArray<12>;

[[nodiscard]] ByteArray<kStunHeaderBytes> encode_binding_request(const StunTransaction& id);
// Where the server saw the request come from. Errors: StunError, at the attribute.
[[nodiscard]] Result<Endpoint> decode_binding_response(ByteView packet, const StunTransaction& id);

// Sent again after 0.5 s, doubled each time (7.2.1: RTO, Rc, Rm).
inline constexpr Duration kStunFirstWait = milliseconds(500);
inline constexpr unsigned kStunTries = 7;
inline constexpr Duration kStunLastWait = seconds(8);
inline constexpr Duration kStunRefresh = seconds(600);  // an address may change, and rarely does
// After a transaction that failed, and then twice as long each time.
inline constexpr Duration kStunFirstRetry = seconds(5);
inline constexpr Duration kStunLastRetry = seconds(3'600);
// How long to wait after so many failures in a row (at least one).
[[nodiscard]] Duration stun_retry_after(std::uint64_t failures);

struct StunMapped {
  Endpoint mapped;
};
struct StunFailed {
  Error why;
};
using StunEvent = std::variant<StunMapped, StunFailed>;

struct StunCounters {
  std::uint64_t requests = 0;  // datagrams, repeated ones too
  std::uint64_t answers = 0;
  std::uint64_t failures = 0;  // transactions
  std::uint64_t ignored = 0;   // datagrams: not of the server, or no answer to what was asked
};

class StunClient {
 public:
  // `rng` must outlive it.
  StunClient(const Endpoint& server, SecureRng& rng) : server_{server}, rng_{rng} {}

  // Also after a transaction that failed: whether the same server is asked again, and when, is for
  // the owner to say, who may know another address of it.
  void start(Now now) noexcept;
  void handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept;
  void handle_deadline(Now now) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] std::optional<StunEvent> poll_event();
  [[nodiscard]] Instant next_deadline() const { return deadline_; }

  [[nodiscard]] const StunCounters& counters() const { return counters_; }

 private:
  void handle_datagram(Now now, const Datagram& datagram);
  void end(StunEvent event, Instant next);

  Endpoint server_;
  SecureRng& rng_;
  std::optional<StunTransaction> asked_;
  unsigned tries_ = 0;
  bool sends_ = false;
  Instant deadline_ = Instant::never();
  std::optional<StunEvent> event_;
  StunCounters counters_;
};

}  // namespace ethnet::nat
