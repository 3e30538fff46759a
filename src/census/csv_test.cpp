#include "csv.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace ethnet::census {
namespace {

// With one text in it.
std::string line_with(const std::string& client) {
  Row row;
  row.at(15) = client;
  row.at(19) = std::int64_t{-3};
  return csv_line(row);
}

TEST(Csv, HasAHeaderAndAsManyFieldsInEachLine) {
  EXPECT_TRUE(csv_header().starts_with("id,seq,record,ip,udp,"));
  EXPECT_TRUE(csv_header().ends_with(",score\r\n"));
  EXPECT_EQ(std::ranges::count(csv_header(), ','), 19);
  EXPECT_EQ(line_with("x"), ",,,,,,,,,,,,,,,x,,,,-3\r\n");
}

TEST(Csv, TextsWithCommasQuotesAndLinesAreQuoted) {
  EXPECT_NE(line_with("a,b").find(",\"a,b\","), std::string::npos);
  EXPECT_NE(line_with("say \"x\"").find(",\"say \"\"x\"\"\","), std::string::npos);
  EXPECT_NE(line_with("a\nb").find(",\"a\nb\","), std::string::npos);
}

TEST(Csv, NoTextIsAFormula) {
  for (const char* const text : {"=1+1", "+1", "-1", "@SUM(A1)", "\tx"}) {
    EXPECT_NE(line_with(text).find(std::string{",'"} + text), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace ethnet::census
