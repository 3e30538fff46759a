// The table of connections against a naive model: random events of every kind, and after each of
// them the counts are those that a list of what is there gives. What reaches the table passes one
// exit; so no path can count down what another never counted up.
#include <algorithm>
#include <cstdio>
#include <vector>

#include <base/prng.hpp>
#include <gtest/gtest.h>

#include "registry.hpp"
#include "testing/amount.hpp"

namespace ethnet::session {
namespace {

constexpr std::size_t kMost = 48;  // entries at once, so that the naive model stays cheap

class TableModel : public ::testing::Test {
 protected:
  using Entry = SessionTable::Entry;
  struct Known {
    SessionHandle handle;
    transport::ConnHandle conn;
    Endpoint remote;
    SessionState state = SessionState::dialing;
    bool inbound = false;
    bool inbound_place = false;
    bool visit_of_ours = false;
    bool visit = false;  // and active
    NodeId id;           // once proven
    [[nodiscard]] bool pending() const { return state != SessionState::active || visit; }
  };

  // Few addresses and identities, so that they meet. Every third address is IPv6, of few subnets.
  Endpoint any_address() {
    const auto n = static_cast<std::uint8_t>(dice.below(12));
    if (n % 3 != 0) {
      return {IpAddress::v4({std::byte{10}, {}, {}, std::byte{n}}),
              static_cast<std::uint16_t>(9'000 + dice.below(8))};
    }
    ByteArray<16> bytes{std::byte{0x20}, std::byte{0x01}};
    bytes[7] = std::byte{n};
    bytes[15] = static_cast<std::byte>(dice.below(200));
    return {IpAddress::v6(bytes), 9'000};
  }
  NodeId any_id() {
    NodeId id;
    id.bytes[31] = static_cast<std::byte>(1 + dice.below(10));
    return id;
  }
  static AuthenticatedPeer prove(const NodeId& id) {
    return ProofVerifier{Hash32{}, id, Proof{}}.finish(id.view()).value();
  }
  Known& any() { return known[dice.below(known.size())]; }
  Entry& entry(const Known& one) {
    Entry* const found = table.find(one.handle);
    CHECK(found != nullptr);
    return *found;
  }
  transport::ConnHandle next_conn() { return {next_conn_index++, 1}; }

  void add() {
    if (known.size() >= kMost) return;
    Known one;
    one.conn = next_conn();
    one.remote = any_address();
    one.inbound = one.inbound_place = dice.below(2) == 0;
    if (one.inbound) {
      one.state = SessionState::handshaking;
      one.handle = table.add_inbound(one.conn, one.remote, now).handle();
    } else {
      if (table.dialled(one.remote) != nullptr) return;  // as dial() refuses
      const bool wanted = dice.below(2) == 0;
      one.visit_of_ours = dice.below(3) == 0;
      one.handle =
          table
              .add_dial(one.conn, one.remote, wanted ? std::optional{any_id()} : std::nullopt,
                        one.visit_of_ours ? Purpose::visit : Purpose::peer, next_dial++, now)
              .handle();
    }
    known.push_back(one);
  }
  // A stranger that is turned away before it has an entry: by a ban, for want of places or memory.
  void refuse() {
    if (closing.size() >= kMost) return;
    closing.push_back(next_conn());
    table.add_closing(closing.back());
  }
  void advance(Known& one) {
    switch (one.state) {
      case SessionState::dialing:
        table.on_opened(entry(one));
        one.state = SessionState::handshaking;
        return;
      case SessionState::handshaking:
        one.id = any_id();
        table.on_proven(entry(one), prove(one.id));
        one.state = SessionState::proven;
        return;
      case SessionState::proven:
        return activate(one);
      case SessionState::active:
        return;
    }
  }
  // A twin takes over the place of the one that there is, as both arbiters and others do.
  void activate(Known& one) {
    if (const Entry* const twin = table.active_of(one.id)) {
      const SessionHandle old = twin->handle();
      const auto there = std::ranges::find(known, old, &Known::handle);
      CHECK(there != known.end());
      if (!there->visit) {
        entry(one).take_place_of(*twin);
        one.inbound_place = one.inbound && there->inbound_place;
      }
      const SessionHandle newcomer = one.handle;
      release(*there);
      return activate(*std::ranges::find(known, newcomer, &Known::handle));
    }
    PeerInfo info;
    info.id = one.id;
    info.visit = one.visit = one.visit_of_ours || dice.below(3) == 0;
    (void)table.activate(entry(one), std::move(info), {}, {1, 1});
    one.state = SessionState::active;
  }
  void release(Known& one) {
    const bool closes = dice.below(2) == 0;
    table.release(one.handle, closes);
    if (closes) closing.push_back(one.conn);
    one = known.back();
    known.pop_back();
  }
  // The transport has finished: with a connection that we closed, with one that it told us of
  // already, or with one that it never told us of.
  void closed() {
    if (closing.empty() || dice.below(8) == 0) return table.on_closed(next_conn());
    const std::size_t at = dice.below(closing.size());
    table.on_closed(closing[at]);
    closing[at] = closing.back();
    closing.pop_back();
  }
  // Displaced by a newcomer from somewhere, as make_room_for() does.
  void displace() {
    const auto gone = table.displaced_by(any_address().ip);
    if (!gone) return;
    const auto there = std::ranges::find(known, *gone, &Known::handle);
    ASSERT_NE(there, known.end());
    EXPECT_TRUE(there->inbound && there->pending());
    release(*there);
  }

  void step() {
    const std::uint64_t what = dice.below(16);
    if (what < 4 || known.empty()) return add();
    if (what < 9) return advance(any());
    if (what < 12) return release(any());
    if (what < 14) return closed();
    if (what == 14) return refuse();
    displace();
  }

  [[nodiscard]] std::size_t count(auto&& which) const {
    return static_cast<std::size_t>(std::ranges::count_if(known, which));
  }
  [[nodiscard]] bool agrees() const {
    std::size_t sum = 0;
    for (const SessionState state : {SessionState::dialing, SessionState::handshaking,
                                     SessionState::proven, SessionState::active}) {
      const std::size_t there = count([&](const Known& k) { return k.state == state; });
      if (table.in(state).size() != there) return false;
      sum += there;
    }
    const std::size_t pending = count(&Known::pending);
    const std::size_t in = count([](const Known& k) { return k.pending() && k.inbound; });
    const std::size_t peers = sum - pending;
    const std::size_t places =
        count([](const Known& k) { return !k.pending() && k.inbound_place; });
    return sum == table.size() && table.pending() == pending && table.pending_inbound() == in &&
           table.peers() == peers && table.active_inbound() == places &&
           table.active_outbound() == peers - places && table.visits() == count(&Known::visit) &&
           table.visits_of_ours() == count(&Known::visit_of_ours) &&
           table.closing() == closing.size();
  }
  [[nodiscard]] bool indexes_agree() {
    return std::ranges::all_of(known, [&](const Known& k) {
      const Entry* const by_conn = table.find(k.conn);
      const bool active = k.state == SessionState::active;
      const std::size_t beside = count([&](const Known& other) {
        return other.inbound && other.pending() &&
               stranger_prefix(other.remote.ip) == stranger_prefix(k.remote.ip);
      });
      const std::size_t nearby = count([&](const Known& other) {
        return other.inbound && other.pending() &&
               stranger_net(other.remote.ip) == stranger_net(k.remote.ip);
      });
      return by_conn != nullptr && by_conn->handle() == k.handle && by_conn->state() == k.state &&
             table.pending_from(k.remote.ip) == beside &&
             table.pending_from_net(k.remote.ip) == nearby &&
             (!active || table.active_of(k.id) == by_conn) &&
             (k.inbound || active || table.is_dialing(k.remote)) &&
             (k.inbound || !k.pending() || table.dialled(k.remote) == by_conn) &&
             oldest_visit_agrees(k);
    });
  }
  [[nodiscard]] bool oldest_visit_agrees(const Known& k) const {
    std::optional<std::uint64_t> oldest;
    for (const Known& other : known) {
      const bool counts = other.inbound && other.visit &&
                          stranger_prefix(other.remote.ip) == stranger_prefix(k.remote.ip);
      const Entry* const there = table.find(other.handle);
      if (counts && there != nullptr) {
        oldest = std::min(oldest.value_or(there->order()), there->order());
      }
    }
    const auto handle = table.oldest_visit_from(k.remote.ip);
    const Entry* const found = handle ? table.find(*handle) : nullptr;
    return found == nullptr ? !oldest : found->order() == oldest;
  }

  Prng dice{59};
  SessionTable table;
  std::vector<Known> known;
  std::vector<transport::ConnHandle> closing;
  Instant now;
  std::uint32_t next_conn_index = 1;
  std::uint64_t next_dial = 1;
};

TEST_F(TableModel, atk_59_60_CountsAreThoseOfWhatIsThereAfterEveryEvent) {
  const std::uint64_t events = ethnet::testing::amount("ETHNET_TABLE_EVENTS", 200'000);
  std::size_t most = 0;
  std::size_t most_active = 0;
  std::size_t most_visits = 0;
  for (std::uint64_t i = 0; i < events; ++i) {
    ASSERT_NO_FATAL_FAILURE(step());
    ASSERT_TRUE(agrees()) << "event " << i;
    if (i % 64 == 0) {
      ASSERT_TRUE(indexes_agree()) << "event " << i;
    }
    most = std::max(most, known.size());
    most_active = std::max(most_active, table.in(SessionState::active).size());
    most_visits = std::max(most_visits, table.visits());
    // Now and then everything ends, and then nothing is left.
    if (i % 5'000 == 4'999 || i + 1 == events) {
      while (!known.empty()) release(known.back());
      while (!closing.empty()) {
        table.on_closed(closing.back());
        closing.pop_back();
      }
      ASSERT_TRUE(agrees());
      ASSERT_EQ(table.size() + table.pending() + table.pending_inbound() + table.closing(), 0U);
      ASSERT_EQ(table.displaced_by(any_address().ip), std::nullopt);
    }
  }
  EXPECT_GE(most, kMost / 2);
  EXPECT_GE(most_active, 5U);
  EXPECT_GE(most_visits, 3U);
  std::printf("events: %llu of the session table\n", static_cast<unsigned long long>(events));
}

}  // namespace
}  // namespace ethnet::session
