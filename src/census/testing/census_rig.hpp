// For tests: a census in a folder of its own, with nodes that say what a test wants.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <discovery/crawl/testing/crawl_rig.hpp>
#include <gtest/gtest.h>

#include "../reader.hpp"

namespace ethnet::census::testing {

struct Said {
  std::vector<std::string> client{};
  std::vector<std::string> capabilities{};
  int fork = 0;  // first byte of its hash; 0: none
  std::int64_t score = 1;
  std::uint64_t seen = 1'000;
};

class CensusRig : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "ethnet-census-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    census_ = std::make_unique<Census>(path());
  }
  void TearDown() override {
    reader_.reset();
    census_.reset();
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string path() const { return (folder_ / "census.db").string(); }
  Reader& reader() {
    if (!reader_) reader_.emplace(path());
    return *reader_;
  }
  void add(const Said& said) {
    put(said);
    commit();
  }
  void commit() { ASSERT_TRUE(census_->commit({})); }
  void put(const Said& said) {
    const std::uint64_t number = ++nodes_;
    EnrBuilder builder{1};
    builder.ip(crawl::testing::place_of(number).ip).udp(30'303);
    if (!said.client.empty()) {
      builder.raw("client", discv4::testing::list_of([&](rlp::Writer& out) {
                    for (const std::string& part : said.client) out.write_text(part);
                  }));
    }
    for (const std::string& name : said.capabilities) builder.bytes(name, {});
    if (said.fork != 0) {
      builder.fork_id({.hash = {static_cast<std::byte>(said.fork)}, .next = 0});
    }
    auto enr = builder.sign(*crawl::testing::key_of(number));
    census_->put(
        {.record = kbucket::NodeRecord::of(std::make_shared<const VerifiedEnr>(*std::move(enr)),
                                           kbucket::RecordPort::udp),
         .score = said.score,
         .first_response = UnixTime::from_seconds(10),
         .last_response = UnixTime::from_seconds(said.seen),
         .last_check = UnixTime::from_seconds(said.seen)});
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<Census> census_;
  std::optional<Reader> reader_;
  std::uint64_t nodes_ = 0;
};

}  // namespace ethnet::census::testing
