#include "skeleton.hpp"

#include <base/check.hpp>
#include <gtest/gtest.h>

#include "limits.hpp"
#include "test_chain.hpp"

namespace ethnet::mini_sync {
namespace {

using testing::make_header;
using testing::TestChain;
using Verdict = SkeletonDownload::Verdict;

constexpr SessionHandle kAnchor{1, 1};
constexpr SessionHandle kHelper{2, 1};

class SkeletonTest : public ::testing::Test {
 protected:
  SkeletonTest() { chain_.extend(chain_.genesis(), 3 * kSegmentHeaders); }

  [[nodiscard]] SkeletonDownload download() const {
    std::vector<chain::BlockRef> marks;
    for (std::uint64_t n = kSegmentHeaders; n <= 3 * kSegmentHeaders; n += kSegmentHeaders) {
      marks.push_back({*chain_.canonical_hash(n), n});
    }
    return SkeletonDownload{kAnchor, chain_.genesis(), marks};
  }
  // `amount` headers down from `hash`, as an honest peer answers.
  [[nodiscard]] std::vector<CheckedHeader> walk(Hash32 hash, std::uint64_t amount) const {
    std::vector<CheckedHeader> headers;
    for (std::uint64_t i = 0; i < amount; ++i) {
      headers.push_back(*check_header({to_bytes(chain_.encoded(hash)), {}}));
      hash = headers.back().parent;
    }
    return headers;
  }

  TestChain chain_;
};

TEST_F(SkeletonTest, SegmentsComeOutInOrderWhoeverFilledThem) {
  SkeletonDownload download = this->download();
  const auto first = download.assign(kAnchor);
  const auto second = download.assign(kHelper);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(download.complete(second->segment, kHelper, walk(second->from, second->amount)),
            Verdict::ok);
  EXPECT_FALSE(download.pop_ready());
  EXPECT_EQ(download.complete(first->segment, kAnchor, walk(first->from, first->amount)),
            Verdict::ok);
  const auto one = download.pop_ready();
  const auto two = download.pop_ready();
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->front().block.number, 1U);
  EXPECT_EQ(one->size(), kSegmentHeaders);
  EXPECT_EQ(two->front().parent, one->back().block.hash);
  EXPECT_FALSE(download.all_handed_over());
}

TEST_F(SkeletonTest, AShortAnswerIsContinuedBySomebodyElse) {
  SkeletonDownload download = this->download();
  const auto ask = download.assign(kHelper);
  EXPECT_EQ(download.complete(ask->segment, kHelper, walk(ask->from, 10)), Verdict::ok);
  const auto rest = download.assign(kAnchor);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->segment, ask->segment);
  EXPECT_EQ(rest->amount, kSegmentHeaders - 10);
  EXPECT_EQ(download.complete(rest->segment, kAnchor, walk(rest->from, rest->amount)), Verdict::ok);
  EXPECT_TRUE(download.pop_ready());
}

// A limited upload: it gives what it can, again and again. One that gives next to nothing does not.
TEST_F(SkeletonTest, OnesOwnShortAnswerIsContinuedUnlessItIsTooShort) {
  SkeletonDownload download = this->download();
  auto ask = download.assign(kHelper);
  EXPECT_EQ(download.complete(ask->segment, kHelper, walk(ask->from, kLeastSegmentPart)),
            Verdict::ok);
  const auto rest = download.assign(kHelper);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->segment, ask->segment);
  EXPECT_EQ(rest->amount, kSegmentHeaders - kLeastSegmentPart);
  EXPECT_EQ(download.complete(rest->segment, kHelper, walk(rest->from, kLeastSegmentPart - 1)),
            Verdict::ok);
  ask = download.assign(kHelper);
  ASSERT_TRUE(ask);
  EXPECT_NE(ask->segment, rest->segment);
}

TEST_F(SkeletonTest, HeadersThatDoNotLinkAreTheServersFault) {
  SkeletonDownload download = this->download();
  const auto ask = download.assign(kHelper);
  auto headers = walk(ask->from, ask->amount);
  headers[5] = make_header(headers[5].parent, headers[5].block.number, 0x66);
  EXPECT_EQ(download.complete(ask->segment, kHelper, std::move(headers)), Verdict::peer_lied);
}

TEST_F(SkeletonTest, ALinkedSegmentThatMissesItsLowerEndIsTheAnchorsFault) {
  SkeletonDownload download{kAnchor,
                            {*chain_.canonical_hash(0), 0},
                            {{*chain_.canonical_hash(kSegmentHeaders), kSegmentHeaders},
                             {*chain_.canonical_hash(3 * kSegmentHeaders), 2 * kSegmentHeaders}}};
  const auto first = download.assign(kHelper);
  ASSERT_EQ(download.complete(first->segment, kHelper, walk(first->from, first->amount)),
            Verdict::ok);
  const auto second = download.assign(kHelper);
  EXPECT_EQ(download.complete(second->segment, kHelper, walk(second->from, second->amount)),
            Verdict::anchor_lied);
}

TEST_F(SkeletonTest, IsStuckOnlyWhenEverybodyDeclinedWhatIsOpen) {
  SkeletonDownload download = this->download();
  const std::vector<SessionHandle> peers{kAnchor, kHelper};
  EXPECT_FALSE(download.stuck(peers));
  for (const SessionHandle peer : peers) {
    while (const auto ask = download.assign(peer)) download.release(ask->segment, peer, true);
  }
  EXPECT_TRUE(download.stuck(peers));
}

}  // namespace
}  // namespace ethnet::mini_sync
