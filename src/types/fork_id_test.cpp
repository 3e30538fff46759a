// go-ethereum's fork id tables: forkid/creation.json, forkid/validation.json.
#include "fork_id.hpp"

#include <map>

#include <codec/testing/vectors.hpp>
#include <gtest/gtest.h>

namespace ethnet {
namespace {

using nlohmann::json;

Hash32 hash32(const json& text) {
  return parse_bytes32<Hash32Tag>(text.get<std::string>()).value();
}
std::uint64_t decimal(const json& text) { return std::stoull(text.get<std::string>()); }
ForkId fork_id(const json& hash, const json& next) {
  ForkId out;
  copy_into(out.hash, testing::hex_bytes(hash));
  out.next = decimal(next);
  return out;
}

ForkSchedule schedule(const json& network) {
  return {hash32(network["genesis_hash"]), network["genesis_timestamp"].get<std::uint64_t>(),
          network["fork_blocks"].get<std::vector<std::uint64_t>>(),
          network["fork_times"].get<std::vector<std::uint64_t>>()};
}
// From every fork entry of a configuration, unsorted and with duplicates and zeros.
ForkSchedule configured_schedule(const json& network) {
  std::vector<std::uint64_t> blocks;
  std::vector<std::uint64_t> times;
  for (const json& fork : network["configured_blocks"]) blocks.push_back(fork["block"]);
  for (const json& fork : network["configured_times"]) times.push_back(fork["time"]);
  std::ranges::reverse(blocks);
  return {hash32(network["genesis_hash"]), network["genesis_timestamp"].get<std::uint64_t>(),
          std::move(blocks), std::move(times)};
}

TEST(ForkIdVectors, Creation) {
  ETHNET_NEED_VECTORS();
  const json file = testing::read_json("forkid/creation.json");
  for (const json& test : file["cases"]) {
    SCOPED_TRACE(test.dump());
    const json& network = file["networks"][test["network"].get<std::string>()];
    const ForkId expected = fork_id(test["hash"], test["next"]);
    EXPECT_EQ(schedule(network).fork_id(test["head"], test["time"]), expected);
    EXPECT_EQ(configured_schedule(network).fork_id(test["head"], test["time"]), expected);
  }
  for (const auto& [name, network] : file["networks"].items()) {
    SCOPED_TRACE(name);
    const ForkSchedule from_all = configured_schedule(network);
    EXPECT_EQ(from_all.fork_blocks(), schedule(network).fork_blocks());
    EXPECT_EQ(from_all.fork_times(), schedule(network).fork_times());
  }
  EXPECT_EQ(file["cases"].size(), 56U);
  testing::report_vectors("forkid_creation", file["cases"].size());
}

TEST(ForkIdVectors, Rlp) {
  ETHNET_NEED_VECTORS();
  const json file = testing::read_json("forkid/creation.json");
  for (const json& test : file["rlp"]) {
    const ForkId expected = fork_id(test["hash"], test["next"]);
    const Bytes encoded = testing::hex_bytes(test["rlp"]);
    rlp::Reader in{encoded};
    EXPECT_EQ(ForkId::decode(in), expected);
    EXPECT_TRUE(in.at_end());
    rlp::Writer out;
    expected.encode(out);
    EXPECT_EQ(to_hex(out.view()), to_hex(encoded));
  }
  EXPECT_EQ(file["rlp"].size(), 3U);
  testing::report_vectors("forkid_rlp", file["rlp"].size());
}

TEST(ForkIdVectors, Validation) {
  ETHNET_NEED_VECTORS();
  const json file = testing::read_json("forkid/validation.json");
  const std::map<std::string, ForkIdVerdict> verdicts{
      {"accept", ForkIdVerdict::accept},
      {"remote_stale", ForkIdVerdict::remote_stale},
      {"local_incompatible_or_stale", ForkIdVerdict::local_incompatible}};
  EXPECT_EQ(file["timestamp_threshold"].get<std::uint64_t>(), kForkTimeThreshold);
  for (const json& test : file["cases"]) {
    SCOPED_TRACE(test.dump());
    const ForkSchedule forks = schedule(file["configs"][test["config"].get<std::string>()]);
    const ForkId remote = fork_id(test["remote_hash"], test["remote_next"]);
    EXPECT_EQ(forks.judge(remote, test["head"], test["time"]),
              verdicts.at(test["expect"].get<std::string>()));
  }
  EXPECT_EQ(file["cases"].size(), 45U);
  testing::report_vectors("forkid_validation", file["cases"].size());
}

TEST(ForkId, DecodingIsStrict) {
  const auto error = [](std::string_view digits) {
    const Bytes bytes = from_hex(digits).value();
    rlp::Reader in{bytes};
    return ForkId::decode(in).error().message();
  };
  EXPECT_EQ(error("c58300000080"), "rlp: string of the wrong size at byte 1");
  EXPECT_EQ(error("c6840000000000"), "rlp: integer with a leading zero at byte 6");
  EXPECT_EQ(error("c784000000008080"), "rlp: trailing bytes at byte 7");
  EXPECT_EQ(error("c58400000000"), "rlp: input ends inside an item at byte 6");
  EXPECT_EQ((ForkId{{}, 7}.to_string()), "0x00000000/7");
}

}  // namespace
}  // namespace ethnet
