#include "tree.hpp"

#include <array>

#include <codec/base32.hpp>
#include <codec/base64url.hpp>
#include <crypto/keccak.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "testing/zone.hpp"

namespace ethnet::dns {
namespace {

using testing::key_of;
using testing::link_of;
using testing::record_of;
using testing::records_of;

constexpr std::string_view kRoot =
    "enrtree-root:v1 e=QFT4PBCRX4XQCV3VUYJ6BTCEPU l=JGUFMSAGI7KZYB3P7IZW4S5Y3A seq=3 "
    "sig=3FmXuVwpa8Y7OstZTx9PIb1mt8FrW7VpDOFv4AaGCsZ2EIHmhraWhe4NxYhQDlw5MjeFXYMbJjsPeKlHzmJREQE";

std::string with(std::string_view from, std::string_view to) {
  std::string text{kRoot};
  return text.replace(text.find(from), from.size(), to);
}
std::string root_error(std::string_view text) { return Root::decode(text).error().message(); }
std::string entry_error(std::string_view text) { return decode_entry(text).error().message(); }
std::string link_error(std::string_view text) { return Link::parse(text).error().message(); }

TEST(DnsRoot, EncodesToWhatItWasDecodedFrom) {
  const auto root = Root::decode(kRoot);
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(root->seq, 3U);
  EXPECT_EQ(root->records.text(), "QFT4PBCRX4XQCV3VUYJ6BTCEPU");
  EXPECT_EQ(root->links.text(), "JGUFMSAGI7KZYB3P7IZW4S5Y3A");
  EXPECT_EQ(root->encode(), kRoot);
}

TEST(DnsRoot, AnythingElseThanItsFieldsIsRefusedAndSaysWhere) {
  EXPECT_EQ(root_error("enrtree-root:v2 e="), "dns: not of the form of a root at byte 0");
  EXPECT_EQ(root_error(with(" l=", "  l=")), "dns: not of the form of a root at byte 44");
  EXPECT_EQ(root_error(with(" e=", " x=")), "dns: not of the form of a root at byte 15");
  EXPECT_EQ(root_error(with("seq=3", "seq=")), "dns: not of the form of a root at byte 78");
  for (const std::string_view number : {"seq=03", "seq=+3", "seq=-1", "seq=18446744073709551616"}) {
    EXPECT_EQ(root_error(with("seq=3", number)), "dns: not of the form of a root at byte 78");
  }
  EXPECT_EQ(root_error(std::string{kRoot} + " x=1"), "dns: not of the form of a root at byte 171");
  EXPECT_EQ(root_error(std::string{kRoot} + " "), "dns: not of the form of a root at byte 171");
  EXPECT_EQ(root_error(with("e=QFT4", "e=qft4")), "dns: not the hash of an entry at byte 18");
  EXPECT_EQ(root_error(with("QFT4PBCRX4XQCV3VUYJ6BTCEPU", "QFT4PBCRX4XQCV3VUY")),
            "dns: not the hash of an entry at byte 36");
  EXPECT_EQ(root_error(with("REQE", "REQ")),
            "dns: signature not of 65 bytes in base64url at byte 84");
  EXPECT_EQ(root_error(with("REQE", "REQ=")),
            "dns: signature not of 65 bytes in base64url at byte 84");
  EXPECT_EQ(root_error(std::string{kRoot} + std::string(kMaxEntryText, 'A')),
            "dns: text longer than an entry may be at byte 1024");
}

TEST(DnsRoot, IsOfTheKeyThatSignedItAndCoversEveryField) {
  const Tree tree = make_tree(records_of(2), {}).value();
  Root root = tree.sign(9, key_of(1));
  EXPECT_TRUE(root.verify(key_of(1).public_key()));
  EXPECT_TRUE(root.verify(key_of(2).public_key()).error().is(DnsError::root_signature));
  Root other = root;
  other.seq = 10;
  EXPECT_TRUE(other.verify(key_of(1).public_key()).error().is(DnsError::root_signature));
  other = root;
  std::swap(other.records, other.links);
  EXPECT_TRUE(other.verify(key_of(1).public_key()).error().is(DnsError::root_signature));
  EXPECT_EQ(crypto::recover(root.signature, root.digest()), key_of(1).public_key());
  EXPECT_EQ(tree.root(9, base64url::encode(root.signature), key_of(1).public_key()), root);
  EXPECT_FALSE(tree.root(8, base64url::encode(root.signature), key_of(1).public_key()));
  EXPECT_TRUE(tree.root(9, "AA", key_of(1).public_key()).error().is(DnsError::root_signature_form));
}

TEST(DnsLink, EncodesToWhatItWasDecodedFrom) {
  const std::string text =
      "enrtree://AKPYQIUQIL7PSIACI32J7FGZW56E5FKHEFCCOFHILBIMW3M6LWXS2@nodes.example.org";
  const auto link = Link::parse(text);
  ASSERT_TRUE(link.has_value());
  EXPECT_EQ(link->domain(), "nodes.example.org");
  EXPECT_EQ(link->text(), text);
  EXPECT_EQ(Link::parse("enrtree://AKPYQIUQIL7PSIACI32J7FGZW56E5FKHEFCCOFHILBIMW3M6LWXS2@Nodes."
                        "EXAMPLE.org")
                ->identity(),
            link->identity());
  EXPECT_NE(link_of("nodes.example.org").identity(), link->identity());
}

TEST(DnsLink, WhatNamesNoTreeIsRefusedAndSaysWhere) {
  const std::string key = "AKPYQIUQIL7PSIACI32J7FGZW56E5FKHEFCCOFHILBIMW3M6LWXS2";
  EXPECT_EQ(link_error("https://a"), "dns: no kind of entry that is known at byte 0");
  EXPECT_EQ(link_error("enrtree://nodes.example.org"), "dns: link without a public key at byte 10");
  EXPECT_EQ(link_error("enrtree://AKP1@n"), "dns: link with a bad public key at byte 13");
  EXPECT_EQ(link_error("enrtree://" + key.substr(0, 52) + "3@n"),
            "dns: link with a bad public key at byte 62");  // a stray bit
  EXPECT_EQ(link_error("enrtree://" + key + "@"),
            "dns: not a domain name that a tree can have at byte 64");
  for (const std::string_view domain : {"a b", "a/b", "a\n", ".a", "a..b", "a.", "\xc3\xa4.org"}) {
    EXPECT_TRUE(Link::parse("enrtree://" + key + "@" + std::string{domain})
                    .error()
                    .is(DnsError::domain_name))
        << domain;
  }
  const std::string long_label(kMaxDomainLabel, 'a');
  EXPECT_TRUE(Link::parse("enrtree://" + key + "@" + long_label));
  EXPECT_FALSE(Link::parse("enrtree://" + key + "@" + long_label + "a"));
  std::string domain;
  while (domain.size() < kMaxDomain) domain += "ab.cd";
  EXPECT_TRUE(Link::parse("enrtree://" + key + "@" + domain));
  EXPECT_FALSE(Link::parse("enrtree://" + key + "@" + domain + "x"));
}

TEST(DnsEntry, ABranchHasAtMost48Children) {
  std::string text = "enrtree-branch:";
  for (std::size_t i = 0; i < kMaxBranchChildren; ++i) text += std::string(20, 'A') + ",";
  const auto most = decode_entry(text.substr(0, text.size() - 1));
  ASSERT_TRUE(most.has_value());
  EXPECT_EQ(std::get<Branch>(*most).children.size(), kMaxBranchChildren);
  EXPECT_EQ(encode_entry(*most), text.substr(0, text.size() - 1));
  EXPECT_TRUE(decode_entry(text).error().is(DnsError::child_hash));
  EXPECT_EQ(entry_error(text + "AAAAAAAAAAAAAAAAAAAA"),
            "dns: text longer than an entry may be at byte 1024");
}

TEST(DnsEntry, HashesOfTwelveToThirtyTwoBytesAreTakenAndCompared) {
  const crypto::Digest32 hash = crypto::keccak256(text_bytes("some text"));
  for (std::size_t size = 1; size <= hash.size(); ++size) {
    const auto label = HashLabel::parse(base32::encode(ByteView{hash}.first(size)));
    EXPECT_EQ(label.has_value(), size >= kMinHashBytes) << size;
    if (!label) continue;
    EXPECT_TRUE(label->matches("some text"));
    EXPECT_FALSE(label->matches("some texT"));
  }
  EXPECT_EQ(entry_error("enrtree-branch:AAAAAAAAAAAAAAAAAAAA,AAAAAAAAAAAAAAAAAAA1"),
            "dns: not the hash of an entry at byte 55");
  EXPECT_FALSE(HashLabel::parse(std::string(53, 'A')));
}

TEST(DnsEntry, ATextThatIsTooLongIsRefusedBeforeItIsLookedAt) {
  const std::string text = "enr:" + std::string(kMaxEntryText, '!');
  EXPECT_EQ(entry_error(text), "dns: text longer than an entry may be at byte 1024");
  EXPECT_EQ(entry_error(text.substr(0, 100)), "base64url: not a character of base64url at byte 0");
}

TEST(DnsTree, EveryEntryIsReachedAndNoTextIsLongerThanAPacketHolds) {
  for (const std::size_t count : {0U, 1U, 2U, 13U, 14U, 26U, 27U, 170U}) {
    SCOPED_TRACE(count);
    const auto records = records_of(count);
    const std::vector<Link> links{link_of("a.org"), link_of("b.org")};
    const Tree tree = make_tree(records, links).value();
    std::set<NodeId> found;
    std::size_t found_links = 0;
    std::set<std::string> seen;
    std::vector<HashLabel> todo{tree.records, tree.links};
    while (!todo.empty()) {
      const HashLabel label = todo.back();
      todo.pop_back();
      const auto text = tree.entries.find(label.text());
      ASSERT_NE(text, tree.entries.end());
      EXPECT_TRUE(label.matches(text->second));
      EXPECT_LE(text->second.size(), 450U);
      EXPECT_TRUE(seen.insert(label.text()).second);
      const Entry entry = decode_entry(text->second).value();
      EXPECT_EQ(encode_entry(entry), text->second);
      if (const auto* branch = std::get_if<Branch>(&entry)) {
        EXPECT_LE(branch->children.size(), kBranchChildrenMade);
        todo.insert(todo.end(), branch->children.begin(), branch->children.end());
      } else if (const auto* record = std::get_if<VerifiedEnr>(&entry)) {
        found.insert(record->node_id());
      } else {
        ++found_links;
      }
    }
    EXPECT_EQ(found, testing::ids_of(records));
    EXPECT_EQ(found_links, links.size());
    EXPECT_EQ(seen.size(), tree.entries.size());
  }
}

// Computed by go-ethereum v1.17.8 (p2p/dnsdisc: MakeTree, Sign, ToTXT) from the same records, links
// to b.org and a.org where there are 13 records or more, number 7 and key.
TEST(DnsTree, TheSameRecordsAndLinksMakeTheSameTreeAsInGoEthereum) {
  struct Golden {
    std::size_t records;
    std::size_t texts;
    std::string_view root;
  };
  static constexpr std::array<Golden, 6> kGolden{{
      {0, 2,
       "enrtree-root:v1 e=FDXN3SN67NA5DKA4J2GOK7BVQI l=FDXN3SN67NA5DKA4J2GOK7BVQI seq=7 "
       "sig=5jtZMMMiwSJprN_34zfAYpDv64ff6QwFTYNc9z7OKE0CCfrK9XP91msTpTyTtBmeNVs5aKONcA1UJ5wNODk2rg"
       "E"},
      {1, 3,
       "enrtree-root:v1 e=3E4JFCI4X4GWHTUZXFWWTMSEDM l=FDXN3SN67NA5DKA4J2GOK7BVQI seq=7 "
       "sig=MJbvokET3HYxshcNZg3_h7XY02aZ0dxfz8ogfSQtXpByk8PxR8vEFUMhELAzOop3O0KtaupcbFQF-D5Cbkfa-A"
       "E"},
      {13, 18,
       "enrtree-root:v1 e=5CELXISV6BUZE347SPBYDR5IOE l=ADHIAQPRUJRVTCJALDQNJ5XYIE seq=7 "
       "sig=CFaT32XVkxfKIUBEFLJE7oZQxtN1800vMymhn4Ot-isJy8SPQMJwjHIlkZKu4GIW1kJz6QNUQUrwowo0sum9FQ"
       "A"},
      {14, 20,
       "enrtree-root:v1 e=DE2RAYODIBYS67HNNJHY5Q6FEQ l=ADHIAQPRUJRVTCJALDQNJ5XYIE seq=7 "
       "sig=yDAQC_A8w09Tyea0peGixximca0rkPGpL_uNTczXrHtVIl9tZEQWVjFHap4kqHvqMFyHwPHC0sFS_Jng6pZFPA"
       "A"},
      {27, 34,
       "enrtree-root:v1 e=FNMGMWG2FVPCTU73VWVD5W5IZU l=ADHIAQPRUJRVTCJALDQNJ5XYIE seq=7 "
       "sig=dT7IpC-2RjvAGZ5fTY1tA7JbV1Tvygb9B7UnoKJh_mANRjlkh7VtE_duV66_OMeyH8KgZlawe4et0JW_lGsT5g"
       "A"},
      {170, 189,
       "enrtree-root:v1 e=DS654SZPMNIUOPZFMHPOSYPCJA l=ADHIAQPRUJRVTCJALDQNJ5XYIE seq=7 "
       "sig=Fc-HDXLB_zmC4haAtCldrOv1OBo9P8ji5ubdlZ-uoMA16_7VI4T410otrFdkoWoBXgN5du1fR3-dEe-N4vcEkQ"
       "E"},
  }};
  for (const Golden& golden : kGolden) {
    SCOPED_TRACE(golden.records);
    std::vector<Link> links;
    if (golden.records >= 13) links = {link_of("b.org"), link_of("a.org")};
    const Tree tree = make_tree(records_of(golden.records), links).value();
    EXPECT_EQ(tree.sign(7, key_of(testing::kPublisher)).encode(), golden.root);
    EXPECT_EQ(tree.entries.size() + 1, golden.texts);
  }
}

TEST(DnsTree, TheOrderOfTheRecordsGivenDoesNotMatter) {
  auto records = records_of(30);
  const Tree tree = make_tree(records, {}).value();
  std::ranges::reverse(records);
  EXPECT_EQ(make_tree(records, {}).value().entries, tree.entries);
}

TEST(DnsTree, ANodeOrALinkTwiceIsRefused) {
  auto records = records_of(3);
  records.push_back(record_of(1, 7));
  EXPECT_EQ(make_tree(records, {}).error(), Error(DnsError::record_twice, 3));
  const std::vector<Link> links{link_of("a.org"), link_of("A.org")};
  EXPECT_EQ(make_tree({}, links).error(), Error(DnsError::link_twice, 1));
}

TEST(DnsProperties, WhatDecodesEncodesToTheSameText) {
  EXPECT_TRUE(rc::check("for entries out of parts of real ones", [] {
    static const std::vector<std::string> kParts{"enrtree-branch:",
                                                 "enrtree://",
                                                 "enr:",
                                                 ",",
                                                 "@",
                                                 "AAAAAAAAAAAAAAAAAAAA",
                                                 "nodes.org",
                                                 record_of(3).record().text(),
                                                 link_of("x").text(),
                                                 "=",
                                                 "B"};
    std::string text;
    for (std::size_t i = *rc::gen::inRange<std::size_t>(1, 6); i > 0; --i) {
      text += *rc::gen::elementOf(kParts);
    }
    if (const auto entry = decode_entry(text)) RC_ASSERT(encode_entry(*entry) == text);
  }));
}

}  // namespace
}  // namespace ethnet::dns
