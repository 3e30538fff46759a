// Whether anybody comes to the address that others told us is ours. Behind a NAT that lets nobody
// in, a record that names it sends others in vain: it is given up when nobody came for
// kArrivalWithin, and tried again after kTryAgainAfter. Who came while strangers' work was refused
// was not heard: such a time proves nothing.
// One thread; one address of each family.
#pragma once

#include <array>
#include <optional>

#include <base/instant.hpp>
#include <types/endpoint.hpp>

namespace ethnet::kbucket {

// An address of ours that nobody came to for so long after it was told is given up, and tried
// again.
inline constexpr Duration kArrivalWithin = seconds(5 * 60);
inline constexpr Duration kTryAgainAfter = seconds(6 * 3600);
// Times that a verdict is put off since strangers were refused: an hour. Who floods us for longer
// may have an address of ours given up; otherwise a few packets now and then would keep a wrong
// one.
inline constexpr unsigned kMaxVerdictsPutOff = 12;

// What an engine tells: a node of the WAN, proven to be there, came to us, and nothing of ours had
// opened it the way.
struct Arrival {
  Endpoint from;
};

struct AddressVerdict {
  Endpoint endpoint;
  bool lost = false;  // else it is to be tried again
};

class Reachability {
 public:
  // Others are told from now on that this is our address.
  void on_address(Now now, const Endpoint& endpoint);
  // A node that we had not reached came to us, by this family.
  void on_arrival(bool v6) {
    if (!one(v6).lost) one(v6).doubted_at = Instant::never();
  }
  // One verdict that is due; call until it gives none. `unheard`: strangers were refused within
  // the last kArrivalWithin, which puts it off, kMaxVerdictsPutOff times.
  [[nodiscard]] std::optional<AddressVerdict> overdue(Now now, bool unheard);
  [[nodiscard]] Instant next_deadline() const;

 private:
  struct Address {
    Endpoint endpoint;
    bool lost = false;
    Instant doubted_at = Instant::never();  // while it is told; then when to try it again
    unsigned put_off = 0;
  };
  [[nodiscard]] Address& one(bool v6) { return addresses_[v6 ? 1 : 0]; }
  std::array<Address, 2> addresses_;
};

}  // namespace ethnet::kbucket
