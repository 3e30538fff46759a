// Everything that speaks on the UDP socket of discovery: discv5 and discv4 with one table, one
// filter, one vote on our own address and one record. Which protocol a datagram is of shows in its
// first 32 bytes: those of discv4 are the hash of the rest, those of discv5 are masked and look
// like anything.
//
//   datagram -> filter by address -> discv4, where its hash is right -> else discv5
//
// When others agree on another address of ours than our record has, or nobody comes to the one that
// it has, the record is signed anew, under the next number, and RecordChanged says so
// (discv5-theory, "Maintaining The Local Record"). Who reads it may be anywhere: an address of our
// LAN, for which one neighbour's word is enough, never takes the place of one for the whole world.
// Both engines tell who comes (kbucket::Arrival).
// One thread. Deterministic but for what the SecureRng gives. Limits: those of the engines.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include <base/prng.hpp>
#include <base/ring.hpp>
#include <base/secure_rng.hpp>
#include <discovery/filter/filter.hpp>
#include <discovery/kbucket/reachability.hpp>
#include <discovery/kbucket/table.hpp>
#include <discovery/v4/engine/engine.hpp>
#include <discovery/v5/engine/engine.hpp>
#include <machine/concepts.hpp>

namespace ethnet::discovery {

using EnrPtr = std::shared_ptr<const VerifiedEnr>;

inline constexpr std::size_t kMaxHostEvents = 16;  // of its own; polled after each input

struct HostConfig {
  std::shared_ptr<const crypto::SecretKey> key;
  EnrPtr local_record;          // of that key (CHECK)
  std::vector<Endpoint> local;  // our sockets
  bool v4 = true;
  bool v5 = true;
  // False: a tool's, which is gone soon. Nothing happens but what commands and peers ask for, and
  // the record names no address but those that it has: nobody shall have it in a table.
  bool keeps_table = true;
  NetList nets{};  // nodes of these networks alone are known
  // Our address, as the operator says: nobody's vote takes it, nor its port, out of the record.
  std::optional<IpAddress> fixed{};
};

// Our record is another one: whoever tells others of it has it here.
struct RecordChanged {
  EnrPtr record;
};
// Others agree on where they see us; our record says what the operator says, be it the same or not.
struct SeenByPeers {
  kbucket::OwnAddress at;
};
using Event = std::variant<discv4::Event, discv5::Event, RecordChanged, SeenByPeers>;

struct HostCounters {
  std::uint64_t datagrams = 0;
  std::uint64_t filtered = 0;  // their address had used its budget up, and they were not looked at
  std::uint64_t no_protocol = 0;  // of a protocol that is off
  std::uint64_t records_changed = 0;
  std::uint64_t addresses_overruled =
      0;                                 // agreed on by others, not the one that the operator fixed
  std::uint64_t addresses_narrower = 0;  // votes that a wider address of ours outweighs
};

class Host {
 public:
  Host(Now now, HostConfig config, SecureRng& rng, Prng prng);

  // --- the machine ---
  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] std::optional<Event> poll_event();
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] Instant next_deadline() const;

  // Commands go to the engines. Null: that protocol is off.
  [[nodiscard]] discv4::Engine* v4() { return v4_ ? &*v4_ : nullptr; }
  [[nodiscard]] discv5::Engine* v5() { return v5_ ? &*v5_ : nullptr; }
  [[nodiscard]] const discv4::Engine* v4() const { return v4_ ? &*v4_ : nullptr; }
  [[nodiscard]] const discv5::Engine* v5() const { return v5_ ? &*v5_ : nullptr; }
  // The same identity (CHECK), another record.
  void set_local_record(EnrPtr record);
  // Our record names this address by somebody else's word than the vote's (a server, a gateway):
  // where nobody comes to it, it is given up like one of those.
  void expect_arrivals(Now now, const Endpoint& ours) noexcept;

  [[nodiscard]] const EnrPtr& local_record() const { return local_record_; }
  [[nodiscard]] kbucket::Table& table() { return table_; }
  [[nodiscard]] const kbucket::Table& table() const { return table_; }
  [[nodiscard]] const filter::Filter& filter() const { return filter_; }
  [[nodiscard]] const HostCounters& counters() const { return counters_; }
  // The name of a queue above its limit (Checked).
  [[nodiscard]] std::optional<std::string_view> exceeded_limit() const;
  // Entries of every table that is empty when nothing is under way.
  [[nodiscard]] std::size_t held() const;

 private:
  void on_event(const discv4::Event& event);
  void on_event(const discv5::Event& event);
  [[nodiscard]] bool is_fixed(const IpAddress& ip) const {
    return fixed_ && fixed_->is_v4() == ip.is_v4();
  }
  [[nodiscard]] bool is_named(const Endpoint& at) const;  // by our record, for discovery
  void on_own_address(const kbucket::OwnAddress& own);
  void on_arrival(const kbucket::Arrival& arrival);
  void on_verdict(const kbucket::AddressVerdict& verdict);
  void change_record(EnrPtr record);  // null: it says so already

  std::shared_ptr<const crypto::SecretKey> key_;
  EnrPtr local_record_;
  kbucket::Table table_;
  filter::Filter filter_;
  kbucket::IpVote vote_;  // where discv5 is off, which has its own
  kbucket::Reachability reachability_;
  std::optional<discv4::Engine> v4_;
  std::optional<discv5::Engine> v5_;
  bool keeps_table_;
  std::optional<IpAddress> fixed_;
  Now now_;  // of the last input
  BoundedQueue<Event> events_{kMaxHostEvents};
  bool v4_sends_next_ = false;
  HostCounters counters_;
};

}  // namespace ethnet::discovery
