// The vectors of docs/spec/das-lite.md, byte for byte, as they stand there.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <base/hex.hpp>
#include <das/dataset.hpp>
#include <gtest/gtest.h>

#include "messages.hpp"

namespace ethnet::das_lite {
namespace {

// name -> hex of the table's rows: "| name | `hex` |".
std::map<std::string, std::string> vectors() {
  std::ifstream file{std::filesystem::path{ETHNET_SOURCE_DIR} / "docs/spec/das-lite.md"};
  std::map<std::string, std::string> out;
  bool in_table = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) in_table = line == "## Vectors";
    const auto middle = line.find(" | `");
    if (!in_table || !line.starts_with("| ") || middle == std::string::npos) continue;
    const auto end = line.find('`', middle + 4);
    out[line.substr(2, middle - 2)] = line.substr(middle + 4, end - middle - 4);
  }
  return out;
}

das::DataSet data_set() {
  return das::DataSet::make(to_bytes(text_bytes("data availability")), 4).value();
}

Bytes response_of(std::uint32_t index) {
  const das::DataSet data = data_set();
  return encode(
      ChunkResponse{data.key().id, index, to_bytes(data.chunk(index)), data.proof(index)});
}

TEST(SpecVectors, OfTheTreeAndTheName) {
  const auto expected = vectors();
  ASSERT_EQ(expected.size(), 10U);
  const das::DataSet data = data_set();
  EXPECT_EQ(to_hex(das::leaf_hash(1, data.chunk(1)).view()), expected.at("leaf of chunk 1"));
  EXPECT_EQ(to_hex(das::leaf_hash(4, data.chunk(4)).view()), expected.at("leaf of chunk 4"));
  const Hash32 root = das::fold_proof(das::leaf_hash(4, data.chunk(4)), 4,
                                      data.shape().total_chunks, data.proof(4));
  EXPECT_EQ(to_hex(root.view()), expected.at("root"));
  EXPECT_EQ(to_hex(data.key().id.view()), expected.at("data_id"));
}

TEST(SpecVectors, OfTheMessages) {
  const auto expected = vectors();
  const das::DataKey key = data_set().key();
  EXPECT_EQ(to_hex(encode(AnnounceData{key})), expected.at("AnnounceData"));
  EXPECT_EQ(to_hex(encode(RequestChunk{key.id, {1, 4}})), expected.at("RequestChunk of 1 and 4"));
  EXPECT_EQ(to_hex(encode(RequestChunk{key.id, {0}})), expected.at("RequestChunk of 0"));
  EXPECT_EQ(to_hex(response_of(1)), expected.at("ChunkResponse of 1"));
  EXPECT_EQ(to_hex(response_of(4)), expected.at("ChunkResponse of 4"));
  EXPECT_EQ(to_hex(encode(ChunkResponse{key.id, 1, {}, {}})),
            expected.at("ChunkResponse of 1, not held"));
}

}  // namespace
}  // namespace ethnet::das_lite
