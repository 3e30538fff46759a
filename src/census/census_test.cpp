#include "census.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <set>

#include <discovery/crawl/testing/crawl_rig.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ethnet::census {
namespace {

using crawl::Node;
using crawl::testing::id_of;
using crawl::testing::key_of;
using crawl::testing::place_of;
using crawl::testing::record_of;

UnixTime at(std::uint64_t s) { return UnixTime::from_seconds(s); }
Node node_of(std::uint64_t number, std::int64_t score = 1, std::uint64_t checked = 1'000) {
  return {.record = record_of(number),
          .score = score,
          .first_response = at(500),
          .last_response = at(900),
          .last_check = at(checked)};
}

class CensusFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "ethnet-census-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return (folder_ / "census.db").string(); }
  [[nodiscard]] CensusFault fault() const {
    try {
      Census census{path()};
      (void)census.load();
    } catch (const CensusError& error) {
      EXPECT_TRUE(std::string{error.what()}.starts_with(path() + ": ")) << error.what();
      return error.fault();
    }
    ADD_FAILURE() << "nothing was thrown";
    return CensusFault::failed;
  }
  void run(const char* sql) const { Database{path(), OpenAs::writer}.run(sql); }

  std::filesystem::path folder_;
};

std::string text(const Row& row, std::string_view column) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (kColumns.at(i) != column) continue;
    const auto* const value = std::get_if<std::string>(&row.at(i));
    return value != nullptr ? *value : "";
  }
  return "no such column";
}

void store(Census& census) { ASSERT_TRUE(census.commit({})); }

std::set<std::string> ids(Census& census) {
  std::set<std::string> out;
  census.for_each([&](const Row& row) { out.insert(text(row, "id")); });
  return out;
}
std::set<std::string> ids_of(std::initializer_list<std::uint64_t> numbers) {
  std::set<std::string> out;
  for (const std::uint64_t number : numbers) out.insert(to_hex(id_of(number).view()));
  return out;
}

TEST_F(CensusFile, WhatIsCommittedIsThereInTheNextRunOldestCheckFirst) {
  {
    Census census{path()};
    EXPECT_TRUE(census.load().empty());
    census.put(node_of(1, 7, 3'000));
    census.put(node_of(2, 1, 2'000));
    EXPECT_EQ(census.size(), 0U) << "it waits";
    store(census);
    EXPECT_EQ(census.waiting(), 0U);
    census.put(node_of(3));  // and is not committed
  }
  Census census{path()};
  const auto nodes = census.load();
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].record->id(), id_of(2));
  EXPECT_EQ(nodes[1].record->id(), id_of(1));
  EXPECT_EQ(nodes[1].record->encoded(), record_of(1)->encoded());
  EXPECT_EQ(nodes[1].record->endpoint(), place_of(1));
  EXPECT_EQ(nodes[1].score, 7);
  EXPECT_EQ(nodes[1].first_response, at(500));
  EXPECT_EQ(nodes[1].last_response, at(900));
  EXPECT_EQ(nodes[1].last_check, at(3'000));
}

TEST_F(CensusFile, WhoHasGoneStaysInTheFileAndIsNotAskedAgain) {
  Census census{path()};
  Node gone = node_of(1);
  gone.score = 0;
  census.put(gone);
  census.put(node_of(2));
  store(census);
  EXPECT_EQ(census.size(), 2U);
  const auto nodes = census.load();
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0].record->id(), id_of(2));
}

TEST_F(CensusFile, atk_26_BeyondItsRowsThoseWhoHaveGoneMakeWayOldestFirst) {
  Census census{path(), 4};
  for (const std::uint64_t i : {1U, 2U, 3U, 4U}) {
    Node node = node_of(i, i == 4 ? 1 : 0);
    node.last_response = at(1'000 - i);  // 3 was seen longest ago of those that have gone
    census.put(node);
  }
  store(census);
  census.put(node_of(5));
  census.put(node_of(3, 2));  // it has come back in the same batch
  store(census);
  EXPECT_EQ(ids(census), ids_of({1, 3, 4, 5}));
  for (std::uint64_t i = 100; i < 200; ++i) {
    census.put(node_of(i, 0));
    store(census);
    ASSERT_EQ(census.size(), 4U);
  }
  EXPECT_EQ(ids(census), ids_of({3, 4, 5, 199}));
  EXPECT_EQ(census.refused(), 0U);
}

TEST_F(CensusFile, atk_26_AFullFileOfNodesThatAnswerTakesNobodyNewAndLosesNothing) {
  Census census{path(), 2};
  census.put(node_of(1));
  census.put(node_of(2));
  store(census);
  census.put(node_of(2, 7));
  for (std::uint64_t i = 3; i < 6; ++i) census.put(node_of(i));
  store(census);
  EXPECT_EQ(census.waiting(), 0U);
  EXPECT_EQ(census.refused(), 3U);
  EXPECT_EQ(ids(census), ids_of({1, 2}));
  EXPECT_EQ(census.load().front().score + census.load().back().score, 8) << "the check of 2 counts";
}

TEST_F(CensusFile, AFileOfBeforeHasTheIndexOfThoseWhoMakeWayToo) {
  {
    Census census{path()};
  }
  run("DROP INDEX nodes_gone");
  const Census census{path()};
  Database db{path(), OpenAs::reader};
  EXPECT_EQ(db.number("SELECT count(*) FROM sqlite_schema WHERE name = 'nodes_gone'"), 1);
}

TEST_F(CensusFile, ARowIsReplacedAndTheFirstTimeStays) {
  Census census{path()};
  census.put(node_of(1));
  store(census);
  Node later = node_of(1, 9);
  later.first_response = at(5'000);
  later.record = record_of(1, place_of(4), UINT64_MAX);
  census.put(later);
  store(census);
  std::vector<Row> rows;
  census.for_each([&](const Row& row) { rows.push_back(row); });
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(text(rows[0], "ip"), place_of(4).ip.to_string());
  EXPECT_EQ(text(rows[0], "seq"), "18446744073709551615");
  EXPECT_EQ(std::get<std::int64_t>(rows[0].at(16)), 500);
  EXPECT_EQ(std::get<std::int64_t>(rows[0].at(19)), 9);
}

TEST_F(CensusFile, TheRowSaysWhatTheRecordSays) {
  EnrBuilder builder{3};
  builder.ip(place_of(1).ip).udp(30'303).tcp(30'304).bytes("snap", {});
  builder.fork_id({.hash = {std::byte{0xab}}, .next = UINT64_MAX});
  const auto enr = std::make_shared<const VerifiedEnr>(builder.sign(*key_of(1)).value());
  Node node = node_of(1);
  node.record = kbucket::NodeRecord::of(enr, kbucket::RecordPort::udp);
  Census census{path()};
  census.put(node);
  store(census);
  Row row;
  census.for_each([&](const Row& one) { row = one; });
  EXPECT_EQ(text(row, "id"), to_hex(id_of(1).view()));
  EXPECT_EQ(text(row, "record"), enr->record().text());
  EXPECT_EQ(text(row, "capabilities"), "eth snap");
  EXPECT_EQ(text(row, "fork_hash"), "0xab000000");
  EXPECT_EQ(text(row, "fork_next"), "18446744073709551615");
  EXPECT_EQ(std::get<std::int64_t>(row.at(5)), 30'304);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(row.at(6))) << "no quic";
  EXPECT_TRUE(std::holds_alternative<std::monostate>(row.at(15))) << "no client";
}

TEST_F(CensusFile, AFileOfSomethingElseIsRefusedAndLeftAsItIs) {
  std::ofstream{path()} << "this is a text file, and rather longer than the header of a database";
  EXPECT_EQ(fault(), CensusFault::no_database);
  std::string line;
  std::getline(std::ifstream{path()}, line);
  EXPECT_TRUE(line.starts_with("this is a text file"));
}

TEST_F(CensusFile, TheDatabaseOfAnotherProgramIsRefused) {
  run("CREATE TABLE nodes (id TEXT)");
  EXPECT_EQ(fault(), CensusFault::other_application);
}

TEST_F(CensusFile, AnotherVersionOfTheTablesIsRefused) {
  {
    Census census{path()};
  }
  run("PRAGMA user_version = 2");
  EXPECT_EQ(fault(), CensusFault::other_schema);
}

TEST_F(CensusFile, ARowThatSomebodyChangedIsNamed) {
  {
    Census census{path()};
    census.put(node_of(1));
    store(census);
  }
  run("UPDATE nodes SET id = '00'");
  EXPECT_EQ(fault(), CensusFault::bad_row);
}

TEST_F(CensusFile, TwoCrawlsDoNotWriteToOneFile) {
  const Census census{path()};
  EXPECT_EQ(fault(), CensusFault::in_use);
}

TEST_F(CensusFile, WhatCannotBeOpenedIsNamed) {
  std::filesystem::create_directory(path());
  EXPECT_EQ(fault(), CensusFault::cannot_open);
  EXPECT_THROW(Census{":memory:"}, CensusError);
}

TEST_F(CensusFile, WhileAnotherProcessHoldsTheLockEverythingWaitsAndIsTriedAgainForSoLong) {
  const Instant begin{seconds(1'000).ns};
  Census census{path()};
  census.put(node_of(1));
  Database other{path(), OpenAs::writer};
  other.run("BEGIN IMMEDIATE");
  EXPECT_FALSE(census.commit(begin));
  census.put(node_of(2));
  EXPECT_FALSE(census.commit(begin + kCensusLockPatience - seconds(1)));
  EXPECT_EQ(census.waiting(), 2U);
  other.run("COMMIT");
  EXPECT_TRUE(census.commit(begin + kCensusLockPatience));
  EXPECT_EQ(census.size(), 2U);
  // It begins anew.
  const Instant anew = begin + kCensusLockPatience * 2;
  census.put(node_of(3));
  other.run("BEGIN IMMEDIATE");
  EXPECT_FALSE(census.commit(anew));
  try {
    (void)census.commit(anew + kCensusLockPatience);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const CensusError& error) {
    EXPECT_EQ(error.fault(), CensusFault::locked);
    EXPECT_EQ(std::string{error.what()},
              fmt::format("{}: another process has held its lock for {} seconds: what 1 nodes "
                          "answered since is not stored",
                          path(), kCensusLockPatience.ns / 1'000'000'000));
  }
  EXPECT_EQ(census.waiting(), 1U);
}

TEST_F(CensusFile, OthersReadWhileItIsWritten) {
  Census census{path()};
  census.put(node_of(1));
  store(census);
  Database reader{path(), OpenAs::reader};
  EXPECT_EQ(reader.number("SELECT count(*) FROM nodes"), 1);
  census.put(node_of(2));
  store(census);
  EXPECT_EQ(reader.number("SELECT count(*) FROM nodes"), 2);
  EXPECT_THROW(reader.run("DELETE FROM nodes"), SqliteError);
}

}  // namespace
}  // namespace ethnet::census
