#include "crawler.hpp"

#include <gtest/gtest.h>

#include "testing/crawl_rig.hpp"

namespace ethnet::crawl::testing {
namespace {

class Crawls : public CrawlNet, public ::testing::WithParamInterface<Protocol> {
 protected:
  Crawler& start(BookLimits book = {}, bool ends = true) {
    return start_crawl(
        {.protocol = GetParam(), .book = book, .visits = kMaxCrawlVisits, .ends = ends});
  }
  void begin() { crawler().begin(now_, std::vector{Contact::of(record_of(1))}); }
};
INSTANTIATE_TEST_SUITE_P(Over, Crawls, ::testing::Values(Protocol::v4, Protocol::v5),
                         [](const auto& one) {
                           return one.param == Protocol::v4 ? "discv4" : "discv5";
                         });

TEST_P(Crawls, EverybodyIsFoundAskedAndToldThenItEnds) {
  add_hosts(40, GetParam());
  start();
  begin();
  ASSERT_TRUE(run_to_end(seconds(120)));
  EXPECT_EQ(ended_, CrawlEnd::everybody_was_asked);
  EXPECT_EQ(checked_.size(), 40U);
  for (std::uint64_t i = 1; i <= 40; ++i) {
    ASSERT_TRUE(checked_.contains(id_of(i))) << i;
    EXPECT_EQ(checked_.at(id_of(i)).node.score, 1);
    EXPECT_EQ(checked_.at(id_of(i)).node.record->endpoint(), place_of(i));
  }
  EXPECT_EQ(crawler().counters().first_answers, 40U);
  EXPECT_EQ(crawler().visits(), 0U);
}

TEST_P(Crawls, WithNobodyThereItEndsWithoutANode) {
  start();
  begin();
  ASSERT_TRUE(run_to_end(seconds(60)));
  EXPECT_EQ(crawler().book().nodes(), 0U);
  EXPECT_EQ(crawler().counters().silent, 1U);
}

TEST_P(Crawls, EnoughNodesAreEnough) {
  add_hosts(30, GetParam());
  start({.nodes = 10});
  begin();
  ASSERT_TRUE(run_to_end(seconds(120)));
  EXPECT_EQ(ended_, CrawlEnd::enough_nodes);
  EXPECT_GE(checked_.size(), 10U);
  EXPECT_LE(checked_.size(), 10U + kMaxCrawlVisits) << "what was under way";
}

Node of_an_earlier_run(std::uint64_t number, std::int64_t score) {
  const UnixTime then = UnixTime::from_seconds(1'600'000'000);
  return {.record = record_of(number),
          .score = score,
          .first_response = then,
          .last_response = then,
          .last_check = then};
}

TEST_P(Crawls, ABookThatIsFullOfAnEarlierRunIsAskedRatherThanEnough) {
  add_hosts(3, GetParam());
  start({.nodes = 3});
  for (const std::uint64_t i : {1U, 2U, 77U}) {
    ASSERT_TRUE(crawler().restore(now_, of_an_earlier_run(i, 1)));
  }
  crawler().begin(now_, {});
  ASSERT_TRUE(run_to_end(seconds(120)));
  EXPECT_EQ(ended_, CrawlEnd::enough_nodes);
  EXPECT_EQ(checked_.at(id_of(1)).node.score, 2);
  EXPECT_FALSE(checked_.at(id_of(77)).answered) << "its place was for another";
  EXPECT_TRUE(checked_.at(id_of(3)).is_first);
}

TEST_P(Crawls, NodesOfAnEarlierRunAreCheckedAndThoseThatAreGoneLoseHalfTheirScore) {
  add_hosts(3, GetParam());
  remove_host(3);
  start();
  for (const std::uint64_t i : {2U, 3U}) {
    ASSERT_TRUE(crawler().restore(now_, of_an_earlier_run(i, 5)));
  }
  crawler().begin(now_, {});
  ASSERT_TRUE(run_to_end(seconds(60)));
  EXPECT_EQ(checked_.at(id_of(2)).node.score, 6);
  EXPECT_EQ(checked_.at(id_of(2)).node.first_response, UnixTime::from_seconds(1'600'000'000));
  EXPECT_FALSE(checked_.at(id_of(3)).answered);
  EXPECT_EQ(checked_.at(id_of(3)).node.score, 2);
  EXPECT_TRUE(checked_.contains(id_of(1))) << "found through a node of the earlier run";
}

TEST_P(Crawls, OneThatGoesOnAsksAgainAndFindsNewcomers) {
  add_hosts(3, GetParam());
  start({.recheck = seconds(60)}, false);
  begin();
  ASSERT_TRUE(run(seconds(60), [&] { return checked_.size() == 3; }));
  add_hosts(5, GetParam());
  ASSERT_TRUE(run(seconds(600), [&] { return checked_.size() == 5; }));
  ASSERT_TRUE(run(seconds(600), [&] { return checked_.at(id_of(1)).node.score >= 3; }));
  EXPECT_FALSE(ended_.has_value());
}

TEST_P(Crawls, TheSameSeedGivesTheSameCrawl) {
  std::vector<std::uint64_t> sent;
  for (int i = 0; i < 2; ++i) {
    reset();
    add_hosts(12, GetParam());
    start();
    begin();
    ASSERT_TRUE(run_to_end(seconds(120)));
    std::uint64_t all = 0;
    for (const auto& [at, count] : crawler_sent_) all = all * 31 + count;
    sent.push_back(all);
  }
  EXPECT_EQ(sent[0], sent[1]);
}

}  // namespace
}  // namespace ethnet::crawl::testing
