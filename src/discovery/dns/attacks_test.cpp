// Attacks by who publishes a tree, or by who answers in its place: rows 24, 25 and 39 of
// docs/THREATS.md.
#include <codec/base64url.hpp>
#include <codec/rlp_writer.hpp>
#include <crypto/keccak.hpp>
#include <gtest/gtest.h>

#include "testing/zone.hpp"

namespace ethnet::dns {
namespace {

using testing::ids_of;
using testing::key_of;
using testing::link_of;
using testing::record_of;
using testing::records_of;
using testing::Rig;

constexpr ClientOptions kWhole{.walk = Walk::whole};
constexpr ClientOptions kRandom{.walk = Walk::random};

// A record of exactly so many bytes, signed, whatever the limit is.
std::string text_of_size(std::size_t size) {
  const crypto::SecretKey key = key_of(3);
  for (std::size_t filler = 0;; ++filler) {
    rlp::Writer content;
    const auto write_pairs = [&](rlp::Writer& out) {
      out.write_uint(1);
      out.write_text("id");
      out.write_text("v4");
      out.write_text("secp256k1");
      out.write_bytes(key.public_key().compressed());
      out.write_text("x");
      out.write_bytes(Bytes(filler, std::byte{0xff}));
    };
    const auto inner = content.begin_list();
    write_pairs(content);
    content.end_list(inner);
    const auto signature = crypto::sign_compact(key, crypto::keccak256(content.view()));
    rlp::Writer record;
    const auto outer = record.begin_list();
    record.write_bytes(signature);
    write_pairs(record);
    record.end_list(outer);
    if (record.view().size() == size) return "enr:" + base64url::encode(record.view());
    CHECK(record.view().size() < size);
  }
}

VerifiedEnr record_with_wide_port() {
  return EnrBuilder{1}
      .ip(IpAddress::loopback_v4())
      .bytes("udp", Bytes{std::byte{1}, std::byte{2}, std::byte{3}})
      .sign(key_of(500))
      .value();
}

TEST(DnsAttacks, atk_24_ARecordOf300BytesIsTakenAndOneOf301Skipped) {
  for (const std::size_t size : {299U, 300U, 301U}) {
    SCOPED_TRACE(size);
    Rig rig{kWhole};
    const HashLabel entry = rig.zone.put("nodes.org", text_of_size(size));
    const HashLabel links = rig.zone.put("nodes.org", "enrtree-branch:");
    rig.zone.put_root("nodes.org", entry, links, 1);
    ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
    rig.run();
    EXPECT_EQ(rig.told<NodeFound>().size(), size <= kMaxEnrBytes ? 1U : 0U);
    EXPECT_EQ(rig.told<EntrySkipped>().size(), size <= kMaxEnrBytes ? 0U : 1U);
    for (const EntrySkipped& one : rig.told<EntrySkipped>()) {
      EXPECT_TRUE(one.why.is(EnrError::too_large));
    }
  }
}

TEST(DnsAttacks, atk_24_ARecordThatIsNotSignedByItsNodeIsSkipped) {
  std::string text = record_of(1).record().text();
  text[20] = text[20] == 'A' ? 'B' : 'A';  // within the signature
  Rig rig{kWhole};
  const HashLabel good = rig.zone.put("nodes.org", record_of(2).record().text());
  const HashLabel bad = rig.zone.put("nodes.org", text);
  const HashLabel top =
      rig.zone.put("nodes.org", "enrtree-branch:" + bad.text() + "," + good.text());
  rig.zone.put_root("nodes.org", top, rig.zone.put("nodes.org", "enrtree-branch:"), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  EXPECT_EQ(rig.found(), std::set<NodeId>{record_of(2).node_id()});
  ASSERT_EQ(rig.told<EntrySkipped>().size(), 1U);
  EXPECT_TRUE(rig.told<EntrySkipped>()[0].why.is(EnrError::signature));
}

TEST(DnsAttacks, atk_25_ARecordWithAPortThatIsNoneIsNotSigned) {
  const std::vector<VerifiedEnr> records{record_of(1), record_with_wide_port()};
  EXPECT_EQ(make_tree(records, {}).error(), Error(DnsError::record_port, 1));
  for (const std::string_view key : {"tcp", "tcp6", "udp", "udp6", "quic", "quic6"}) {
    const std::vector<VerifiedEnr> one{EnrBuilder{1}.uint(key, 65'536).sign(key_of(1)).value()};
    EXPECT_TRUE(make_tree(one, {}).error().is(DnsError::record_port)) << key;
    const std::vector<VerifiedEnr> fits{EnrBuilder{1}.uint(key, 65'535).sign(key_of(1)).value()};
    EXPECT_TRUE(make_tree(fits, {}).has_value()) << key;
  }
}

TEST(DnsAttacks, atk_25_InATreeOfOthersItIsSkippedAndTheRestFound) {
  Rig rig{kWhole};
  const auto good = records_of(3);
  std::string branch = "enrtree-branch:";
  branch += rig.zone.put("nodes.org", record_with_wide_port().record().text()).text();
  for (const VerifiedEnr& one : good) {
    branch += "," + rig.zone.put("nodes.org", one.record().text()).text();
  }
  const HashLabel top = rig.zone.put("nodes.org", branch);
  rig.zone.put_root("nodes.org", top, rig.zone.put("nodes.org", "enrtree-branch:"), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  EXPECT_EQ(rig.found(), ids_of(good));
  EXPECT_EQ(rig.refused(DnsError::record_port), 1U);
  EXPECT_EQ(rig.told<TreeDone>()[0].records, 3U);
}

TEST(DnsAttacks, atk_39_TreesThatLinkToEachOtherAreWalkedOnceEach) {
  Rig rig{kWhole};
  const std::vector<std::string> domains{"a.org", "b.org", "c.org"};
  for (std::size_t i = 0; i < domains.size(); ++i) {
    // To the next, to itself, and back to the first in another case.
    const std::vector<Link> links{link_of(domains[(i + 1) % 3]), link_of(domains[i])};
    rig.zone.publish(domains[i], make_tree(records_of(2, i * 10), links).value(), 1);
  }
  const HashLabel upper = rig.zone.put("a.org", link_of("B.ORG").text());
  const HashLabel own = rig.zone.put("a.org", link_of("a.org").text());
  const HashLabel links =
      rig.zone.put("a.org", "enrtree-branch:" + upper.text() + "," + own.text());
  rig.zone.put_root("a.org", rig.zone.put("a.org", record_of(0).record().text()), links, 2);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("a.org")));
  rig.run(seconds(1000));
  EXPECT_TRUE(rig.client.is_idle());
  EXPECT_EQ(rig.client.trees(), 3U);
  EXPECT_EQ(rig.told<TreeDone>().size(), 3U);
  EXPECT_EQ(rig.times_asked("a.org"), 1U);
}

TEST(DnsAttacks, atk_39_ABranchThatIsNamedByManyIsWalkedOnce) {
  // Each level names the one below 13 times: 13^12 paths, 14 hashes.
  Rig rig{kWhole};
  HashLabel top = rig.zone.put("nodes.org", record_of(1).record().text());
  for (int level = 0; level < 12; ++level) {
    std::string branch = "enrtree-branch:" + top.text();
    for (int i = 1; i < 13; ++i) branch += "," + top.text();
    top = rig.zone.put("nodes.org", branch);
  }
  rig.zone.put_root("nodes.org", top, rig.zone.put("nodes.org", "enrtree-branch:"), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run(seconds(1000));
  EXPECT_EQ(rig.asked.size(), 15U);
  EXPECT_EQ(rig.told<NodeFound>().size(), 1U);
  EXPECT_TRUE(rig.client.is_idle());
}

TEST(DnsAttacks, atk_39_BranchesWithoutEndAreFollowedToTheirBound) {
  Rig rig{kWhole};
  HashLabel top = rig.zone.put("nodes.org", record_of(1).record().text());
  for (int level = 0; level <= kMaxTreeDepth; ++level) {
    top = rig.zone.put("nodes.org", "enrtree-branch:" + top.text());
  }
  rig.zone.put_root("nodes.org", top, rig.zone.put("nodes.org", "enrtree-branch:"), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  EXPECT_TRUE(rig.told<NodeFound>().empty());
  EXPECT_EQ(rig.refused(DnsError::too_deep), 1U);
  EXPECT_EQ(rig.told<TreeDone>()[0].skipped, 1U);
}

// A name server that makes branches up as it is asked: each has 48 children nobody ever saw.
TEST(DnsAttacks, atk_39_ATreeWithoutEndIsWalkedToItsBoundAndNoFurther) {
  Rig rig{{.walk = Walk::whole, .follow_links = true, .questions_per_second = 1'000'000}};
  // Content comes before its hash: built from below, wide enough to pass the bound.
  std::vector<std::string> level;
  for (std::size_t i = 0; i < kMaxTreeEntries + 500; ++i) {
    level.push_back(HashLabel::of(std::to_string(i)).text());
  }
  while (level.size() > 1) {
    std::vector<std::string> above;
    for (std::size_t i = 0; i < level.size();) {
      std::string branch = "enrtree-branch:" + level[i++];
      for (std::size_t n = 1; n < 37 && i < level.size(); ++n) branch += "," + level[i++];
      above.push_back(rig.zone.put("nodes.org", branch).text());
    }
    level = std::move(above);
  }
  rig.zone.put_root("nodes.org", HashLabel::parse(level[0]).value(),
                    rig.zone.put("nodes.org", "enrtree-branch:"), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  EXPECT_TRUE(rig.client.is_idle());
  // The root, the empty branch of links, the hashes; the root again where all was missing.
  EXPECT_LE(rig.asked.size(), kMaxTreeEntries + 2 + kMaxRootRechecks);
  EXPECT_GT(rig.asked.size(), kMaxTreeEntries - 100);
  EXPECT_GT(rig.refused(DnsError::too_many_entries), 0U);
  EXPECT_EQ(rig.told<TreeDone>().size(), 1U);
}

TEST(DnsAttacks, atk_39_LinksAreFollowedFourHopsFarAndToSixteenTrees) {
  Rig chain{kWhole};
  for (int i = 0; i < 8; ++i) {
    const std::vector<Link> next{link_of(std::to_string(i + 1) + ".org")};
    chain.zone.publish(std::to_string(i) + ".org", make_tree({}, next).value(), 1);
  }
  ASSERT_TRUE(chain.client.add_tree(chain.now(), link_of("0.org")));
  chain.run();
  EXPECT_EQ(chain.client.trees(), 1U + kMaxLinkHops);
  EXPECT_EQ(chain.refused(DnsError::link_too_far), 1U);

  Rig star{kWhole};
  std::vector<Link> links;
  for (int i = 0; i < 40; ++i) links.push_back(link_of(std::to_string(i) + ".org"));
  star.zone.publish("hub.org", make_tree({}, links).value(), 1);
  ASSERT_TRUE(star.client.add_tree(star.now(), link_of("hub.org")));
  star.run();
  EXPECT_EQ(star.client.trees(), kMaxTrees);
  EXPECT_EQ(star.refused(DnsError::too_many_trees), 40 - (kMaxTrees - 1));
}

TEST(DnsAttacks, atk_39_WhatHasNotTheHashThatNamesItIsSkipped) {
  Rig rig{kWhole};
  const auto records = records_of(4);
  const Tree tree = make_tree(records, {}).value();
  rig.zone.publish("nodes.org", tree, 1);
  const HashLabel swapped = HashLabel::of(records[2].record().text());
  rig.zone.at(swapped.name_under("nodes.org")) = {record_of(77).record().text()};
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  EXPECT_FALSE(rig.found().contains(record_of(77).node_id()));
  EXPECT_EQ(rig.found().size(), 3U);
  EXPECT_EQ(rig.refused(DnsError::hash_mismatch), 1U);
}

TEST(DnsAttacks, atk_39_ARecordAmongLinksOrALinkAmongRecordsIsSkipped) {
  Rig rig{kWhole};
  const HashLabel record = rig.zone.put("nodes.org", record_of(1).record().text());
  const HashLabel link = rig.zone.put("nodes.org", link_of("other.org").text());
  rig.zone.put_root("nodes.org", link, record, 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  EXPECT_EQ(rig.refused(DnsError::wrong_subtree), 2U);
  EXPECT_TRUE(rig.told<NodeFound>().empty());
  EXPECT_EQ(rig.client.trees(), 1U);
}

TEST(DnsAttacks, atk_39_ARootOfAnotherKeyIsRefused) {
  Rig rig{kWhole};
  rig.zone.publish("nodes.org", make_tree(records_of(3), {}).value(), 1, 8);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  ASSERT_EQ(rig.told<RootFailed>().size(), 1U);
  EXPECT_TRUE(rig.told<RootFailed>()[0].why.is(DnsError::root_signature));
  EXPECT_EQ(rig.asked.size(), 1U);
}

TEST(DnsAttacks, atk_39_ARollbackOfTheSequenceNumberIsRefusedAndTheOldTreeWalkedOn) {
  Rig rig{kRandom};
  const auto now = records_of(5, 100);
  const Tree old_tree = make_tree(records_of(5), {}).value();
  rig.zone.publish("nodes.org", make_tree(now, {}).value(), 7);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.client.want(rig.now(), 5);
  rig.run(seconds(1000));
  rig.zone.publish("nodes.org", old_tree, 6);
  rig.time = seconds(2000);
  rig.client.want(rig.now(), 30);
  rig.run(seconds(4000));
  EXPECT_GT(rig.refused(DnsError::sequence_decreased), 0U);
  EXPECT_EQ(rig.found(), ids_of(now));
  // What a person saw of it in another run counts too.
  Rig fresh{kWhole};
  fresh.zone.publish("nodes.org", old_tree, 6);
  ASSERT_TRUE(fresh.client.add_tree(fresh.now(), link_of("nodes.org"), 7));
  fresh.run();
  EXPECT_TRUE(fresh.told<RootFailed>()[0].why.is(DnsError::sequence_decreased));
  EXPECT_TRUE(fresh.found().empty());
  // The same number again is no rollback.
  Rig same{kWhole};
  same.zone.publish("nodes.org", old_tree, 7);
  ASSERT_TRUE(same.client.add_tree(same.now(), link_of("nodes.org"), 7));
  same.run();
  EXPECT_EQ(same.found().size(), 5U);
}

// A publisher whose root changes with each question and whose entries are never there.
TEST(DnsAttacks, atk_39_ARootThatKeepsChangingDoesNotKeepAWholeWalkFromEnding) {
  Rig rig{kWhole};
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  for (std::uint64_t seq = 1; seq < 200; ++seq) {
    rig.zone.at("nodes.org").clear();
    std::string branch = "enrtree-branch:";
    for (std::uint64_t i = 0; i < 8; ++i) {
      branch += (i == 0 ? "" : ",") + HashLabel::of(std::to_string(seq * 100 + i)).text();
    }
    rig.zone.put_root("nodes.org", rig.zone.put("nodes.org", branch),
                      rig.zone.put("nodes.org", "enrtree-branch:"), seq);
    rig.run(rig.time + seconds(4));
  }
  EXPECT_TRUE(rig.client.is_idle());
  EXPECT_EQ(rig.told<TreeDone>().size(), 1U);
  EXPECT_EQ(rig.times_asked("nodes.org"), 1U + kMaxRootRechecks);
}

}  // namespace
}  // namespace ethnet::dns
