// For tests only: where the test vectors lie and how to read them. They are data beside the project
// (ETHNET_VECTORS, default ../shared/vectors); where the whole folder is absent a test skips itself
// and says so. Anything less is a failure: ETHNET_VECTORS that names no folder, a folder without a
// file that a test reads, a family of which nothing ran.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <base/bytes.hpp>
#include <base/hex.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ethnet::testing {

[[nodiscard]] inline std::filesystem::path vectors_root() {
  const char* from_environment = std::getenv("ETHNET_VECTORS");
  if (from_environment != nullptr) return from_environment;
  return std::filesystem::path{ETHNET_SOURCE_DIR} / ".." / "shared" / "vectors";
}

[[nodiscard]] inline bool have_vectors() { return std::filesystem::is_directory(vectors_root()); }

[[nodiscard]] inline std::string read_text(const std::string& name) {
  std::ifstream file{vectors_root() / name, std::ios::binary};
  EXPECT_TRUE(file.good()) << "cannot read vector file " << name;
  return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

[[nodiscard]] inline Bytes read_bytes(const std::string& name) {
  return to_bytes(text_bytes(read_text(name)));
}

[[nodiscard]] inline nlohmann::json read_json(const std::string& name) {
  return nlohmann::json::parse(read_text(name));
}

[[nodiscard]] inline Bytes hex_bytes(const nlohmann::json& text) {
  const Result<Bytes> bytes = from_hex(text.get<std::string>());
  EXPECT_TRUE(bytes.has_value()) << "not hex: " << text;
  return bytes ? *bytes : Bytes{};
}

// Says how many vectors of a family ran: on standard output and in the test's XML.
inline void report_vectors(const std::string& family, std::size_t count) {
  EXPECT_GT(count, 0U) << "no vector of the family " << family;
  std::cout << "vectors: " << family << " " << count << "\n";
  ::testing::Test::RecordProperty("vectors_" + family, std::to_string(count));
}

}  // namespace ethnet::testing

#define ETHNET_NEED_VECTORS()                                                              \
  if (!ethnet::testing::have_vectors()) {                                                  \
    ASSERT_EQ(std::getenv("ETHNET_VECTORS"), nullptr) << "ETHNET_VECTORS names no folder"; \
    GTEST_SKIP() << "no test vectors (set ETHNET_VECTORS)";                                \
  }                                                                                        \
  static_assert(true, "a semicolon belongs here")
