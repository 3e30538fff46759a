// The file of known nodes: when it is written, and that damage is no reason not to start.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <apps/common/nodes_file.hpp>
#include <discovery/kbucket/nodes_file.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <types/enr.hpp>
#include <unistd.h>

namespace ethnet::app {
namespace {

class Lines final : public Log {
 public:
  [[nodiscard]] bool enabled(LogLevel) const noexcept override { return true; }
  void handle(const LogRecord& record) noexcept override {
    said.emplace_back(record.message);
    if (record.level == LogLevel::warn) ++warned;
  }
  std::size_t warned = 0;
  std::vector<std::string> said;
};

Bytes record_of(std::uint64_t number) {
  ByteArray<32> secret{};
  secret.back() = static_cast<std::byte>(number);
  const auto key = crypto::SecretKey::from_bytes(secret).value();
  return to_bytes(EnrBuilder{1}.sign(key).value().record().encoded());
}

Bytes file_of(const std::vector<kbucket::SavedNode>& nodes, std::vector<Bytes> anchors = {}) {
  return kbucket::encode({nodes, std::move(anchors)});
}

class NodesFileTest : public testing::Test {
 protected:
  NodesFileTest() { std::filesystem::create_directories(folder_); }
  ~NodesFileTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Bytes stored() { return NodesFile{folder_, quiet_}.read({}); }
  [[nodiscard]] std::size_t writes() const {
    return static_cast<std::size_t>(std::ranges::count(log_.said, "Saved the known nodes"));
  }

  std::string folder_ = testing::TempDir() + fmt::format("ethnet-nodes-{}", ::getpid());
  Lines log_;
  Lines quiet_;
  NodesFile file_{folder_, log_};
};

TEST_F(NodesFileTest, NewsAreWrittenAndThatSomebodyWasSeenAgainIsNone) {
  const Bytes one = record_of(1);
  const Bytes two = record_of(2);
  file_.write_news(file_of({}), {});
  EXPECT_EQ(writes(), 0U) << "nobody is no news where nobody was";
  file_.write_news(file_of({{one, 5}, {two, 4}}), {});
  EXPECT_EQ(writes(), 1U);
  EXPECT_EQ(stored(), file_of({{one, 5}, {two, 4}}));
  file_.write_news(file_of({{two, 9}, {one, 5}}), {});
  EXPECT_EQ(writes(), 1U) << "the same two";
  file_.write_news(file_of({{two, 9}, {one, 5}}, {one}), {});
  EXPECT_EQ(writes(), 2U) << "an anchor";
  file_.write_news(file_of({{two, 9}}, {one}), {});
  EXPECT_EQ(writes(), 3U) << "one less";
  file_.write(file_of({{two, 10}}, {one}), {});
  EXPECT_EQ(writes(), 4U) << "whatever changed";
  EXPECT_EQ(stored(), file_of({{two, 10}}, {one}));
}

TEST_F(NodesFileTest, WhatWasReadIsNoNews) {
  file_.write(file_of({{record_of(1), 5}}), {});
  NodesFile next{folder_, log_};
  EXPECT_EQ(next.read({}), file_of({{record_of(1), 5}}));
  next.write_news(file_of({{record_of(1), 8}}), {});
  EXPECT_EQ(writes(), 1U);
}

TEST_F(NodesFileTest, ADamagedFileIsReadAsItIsAndTheNextNewsReplaceIt) {
  std::ofstream{folder_ + "/nodes"} << "banana";
  EXPECT_EQ(file_.read({}).size(), 6U) << "discovery says what is wrong with it";
  file_.write_news(file_of({{record_of(1), 5}}), {});
  EXPECT_EQ(stored(), file_of({{record_of(1), 5}}));
}

TEST_F(NodesFileTest, WhatCannotBeReadOrWrittenIsSaidAndNotCountedAsWritten) {
  std::filesystem::create_directory(folder_ + "/nodes.new");
  file_.write_news(file_of({{record_of(1), 5}}), {});
  EXPECT_EQ(log_.said, std::vector<std::string>{"The file of known nodes"});
  std::filesystem::remove(folder_ + "/nodes.new");
  file_.write_news(file_of({{record_of(1), 5}}), {});
  EXPECT_EQ(writes(), 1U) << "tried again";
  std::filesystem::resize_file(folder_ + "/nodes", kbucket::kMaxNodesFileBytes + 1);
  EXPECT_TRUE(file_.read({}).empty());
  EXPECT_EQ(log_.said.back(), "The file of known nodes");
}

// It is tried every second.
TEST_F(NodesFileTest, AKeptFileThatCannotBeWrittenWarnsOnceUntilItCan) {
  KeptFile file{folder_ + "/kept", "The file", 10, log_};
  const Bytes one{std::byte{1}};
  const Bytes two{std::byte{2}};
  std::filesystem::create_directory(folder_ + "/kept.new");
  file.write_news(one, {});
  file.write_news(one, {});
  EXPECT_EQ(log_.said, (std::vector<std::string>{"The file", "The file"}));
  EXPECT_EQ(log_.warned, 1U);
  std::filesystem::remove(folder_ + "/kept.new");
  file.write_news(one, {});
  file.write_news(one, {});
  EXPECT_EQ((KeptFile{folder_ + "/kept", "The file", 10, quiet_}.read({})), one);
  std::filesystem::create_directory(folder_ + "/kept.new");
  file.write_news(two, {});
  EXPECT_EQ(log_.warned, 2U);
}

}  // namespace
}  // namespace ethnet::app
