// For tests only: vectors that are stored as gzip-compressed lines of JSON (*.jsonl.gz).
#pragma once

#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

#include "vectors.hpp"

namespace ethnet::testing {

// The whole text of a compressed vector file. A file that is missing or damaged fails the test.
[[nodiscard]] inline std::string read_gzip(const std::string& name) {
  std::string text;
  const gzFile file = gzopen((vectors_root() / name).c_str(), "rb");
  EXPECT_NE(file, nullptr) << "cannot read vector file " << name;
  if (file == nullptr) return text;
  std::string chunk(1 << 16, '\0');
  int got = 0;
  while ((got = gzread(file, chunk.data(), static_cast<unsigned>(chunk.size()))) > 0) {
    text.append(chunk, 0, static_cast<std::size_t>(got));
  }
  EXPECT_EQ(got, 0) << "damaged vector file " << name;
  EXPECT_EQ(gzclose(file), Z_OK) << "damaged vector file " << name;
  return text;
}

// Calls f(const nlohmann::json&) for each line; returns how many there were.
template <class F>
std::size_t for_each_line(const std::string& name, F f) {
  const std::string text = read_gzip(name);
  std::size_t lines = 0;
  for (std::size_t at = 0; at < text.size(); ++lines) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    f(nlohmann::json::parse(std::string_view{text}.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

}  // namespace ethnet::testing
