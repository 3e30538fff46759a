// Attacks on what discovery does (docs/THREATS.md).
#include <map>

#include <gtest/gtest.h>

#include "testing/discovery_rig.hpp"

namespace ethnet::lite {
namespace {

using namespace testing;

// Records of nodes at distance 256 from node `from`, from number `first` on, at these addresses.
template <class Where>
std::vector<RecordPtr> fakes(std::uint64_t from, std::uint64_t first, std::size_t count,
                             Where where) {
  std::vector<RecordPtr> out;
  for (std::uint64_t i = first; out.size() < count; ++i) {
    if (log_distance(id_of(from), id_of(i)) == 256) out.push_back(record_of(i, where(i)));
  }
  return out;
}

// Answers every question with these records, and fails every dial, for so long.
std::map<IpAddress, std::size_t> probes_while_told(DiscoveryRig& rig,
                                                   const std::vector<RecordPtr>& lies,
                                                   Duration time) {
  std::map<IpAddress, std::size_t> probes;
  std::size_t next = 0;
  const Instant end = rig.now.mono + time;
  while (rig.now.mono < end) {
    rig.run(seconds(1));
    static_cast<void>(rig.discovery.start_lookup(rig.now, id_of(lies.size())));
    for (int turn = 0; turn < 20; ++turn) {
      for (const Question& question : rig.questions()) {
        if (std::holds_alternative<AskPing>(question.ask)) {
          rig.discovery.handle_pong(rig.now, question.token, 1, own_subnet(0));
          continue;
        }
        std::vector<RecordPtr> answer;
        for (int i = 0; i < 16; ++i) answer.push_back(lies[next++ % lies.size()]);
        rig.discovery.handle_nodes(rig.now, question.token, answer);
      }
      for (const ContactWanted& wanted : rig.events<ContactWanted>()) {
        ++probes[wanted.endpoint.ip];
        rig.discovery.handle_contact_failed(rig.now, wanted.contact, ContactFailure::unreachable);
      }
    }
  }
  return probes;
}

TEST(DiscoveryAttacks, atk_38_AnUnprovenAddressIsKnockedAtTwiceAMinuteAtMost) {
  DiscoveryRig rig;
  rig.link(1, own_subnet(1));
  const Endpoint victim = shared_subnet(1);
  auto lies = fakes(1, 1000, 120, [&](std::uint64_t i) {
    return Endpoint{victim.ip, static_cast<std::uint16_t>(i)};
  });
  const auto probes = probes_while_told(rig, lies, seconds(300));
  ASSERT_TRUE(probes.contains(victim.ip));
  EXPECT_GE(probes.at(victim.ip), 5U) << "the attack was on";
  EXPECT_LE(probes.at(victim.ip), 5 * kbucket::kMaxProbesPerAddress);
  EXPECT_GT(rig.discovery.probes().refused(), 0U);
  EXPECT_EQ(rig.discovery.table().broken(), "");
}

TEST(DiscoveryAttacks, atk_38_NoStrangerSendsUsToOurLanOrOurselves) {
  DiscoveryRig rig;
  rig.link(1, own_subnet(1));
  const std::vector<Endpoint> nowhere{
      endpoint("127.0.0.1:22"),       endpoint("10.0.0.1:443"),      endpoint("192.168.1.1:80"),
      endpoint("169.254.169.254:80"), endpoint("224.0.0.1:9"),       endpoint("0.0.0.0:9"),
      endpoint("255.255.255.255:9"),  endpoint("[::1]:9"),           endpoint("[fd00::1]:9"),
      endpoint("[ff02::1]:9"),        endpoint("[2002:7f00:1::1]:9")};
  auto lies = fakes(1, 1000, 33, [&](std::uint64_t i) { return nowhere[i % nowhere.size()]; });
  const auto probes = probes_while_told(rig, lies, seconds(60));
  EXPECT_TRUE(probes.empty());
  EXPECT_GE(rig.discovery.counters().wrong_scope, 30U);
  // Nor does a stranger's record of itself.
  rig.discovery.handle_own_record(rig.now, id_of(1), record_of(1, endpoint("10.0.0.1:443"), 9));
  EXPECT_EQ(rig.discovery.table().find_any(id_of(1))->record->seq(), 1U);
}

TEST(DiscoveryAttacks, atk_26_WhatAPeerToldUsIsNotToldToAnother) {
  DiscoveryRig rig;
  rig.link(1, own_subnet(1));
  rig.link(2, own_subnet(2));
  const auto lies = fakes(1, 1000, 1000, [](std::uint64_t i) { return own_subnet(i); });
  for (std::size_t i = 0; i + 16 <= lies.size(); i += 16) {
    ASSERT_NE(rig.discovery.start_lookup(rig.now, lies[i]->id()), 0U);
    const std::vector<RecordPtr> part(lies.begin() + static_cast<std::ptrdiff_t>(i),
                                      lies.begin() + static_cast<std::ptrdiff_t>(i + 16));
    while (rig.events<LookupDone>().empty()) {
      for (const Question& question : rig.questions()) {
        if (question.node == id_of(1)) {
          rig.discovery.handle_nodes(rig.now, question.token, part);
        } else {
          rig.discovery.handle_no_answer(rig.now, question.token, false);
        }
      }
      for (const ContactWanted& wanted : rig.events<ContactWanted>()) {
        rig.discovery.handle_contact_failed(rig.now, wanted.contact, ContactFailure::not_attempted);
      }
    }
    rig.pass(seconds(61));
  }
  EXPECT_GT(rig.discovery.counters().records, 300U);
  EXPECT_GT(rig.discovery.table().size(), 15U) << "they are in the table";
  std::vector<std::uint16_t> all;
  for (std::uint16_t d = 256; d > 0; --d) all.push_back(d);
  const auto told = rig.discovery.answer(id_of(2), all);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]->id(), id_of(1));
}

// Whoever wants to tell us our address has to be dialled by us first.
TEST(DiscoveryAttacks, atk_37_PeersThatDialledUsHaveNoVoteAndNineOfThirtyChangeNothing) {
  DiscoveryRig rig;
  const Endpoint home = endpoint("5.5.5.5:9000");
  const Endpoint lie = endpoint("6.6.6.6:9000");
  rig.discovery.vote().set(home);
  for (std::uint64_t i = 1; i <= 60; ++i) {
    const bool we_dialled = i <= 30;
    const bool is_liar = i <= 9 || !we_dialled;
    rig.link(i, own_subnet(i), we_dialled);
    if (!we_dialled) rig.discovery.handle_traffic(rig.now, id_of(i));
    rig.discovery.handle_restored(rig.now, record_of(i, own_subnet(i)), true);  // asks it: a ping
    for (const Question& question : rig.questions()) {
      if (std::holds_alternative<AskPing>(question.ask)) {
        rig.discovery.handle_pong(rig.now, question.token, 1, is_liar ? lie : home);
      }
    }
  }
  EXPECT_EQ(rig.discovery.counters().votes, 30U);
  EXPECT_EQ(rig.discovery.counters().votes_of_strangers, 30U);
  EXPECT_TRUE(rig.events<OwnAddress>().empty());
  EXPECT_EQ(rig.discovery.vote().current(kbucket::Scope::wan, false), home);
}

}  // namespace
}  // namespace ethnet::lite
