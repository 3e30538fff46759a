// What programs read: hostile text in it, and limits.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "player.hpp"
#include "scenario_reader.hpp"
#include "svg.hpp"
#include "testing/oracle.hpp"

namespace ethnet::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LabReport run(const std::string& yaml) {
  const auto scenario = read_scenario(yaml);
  if (!scenario) ADD_FAILURE() << scenario.error().message();
  auto report = play(*scenario, testing::rules_named({"heaviest", "ghost"}));
  return std::move(*report);
}

const std::string kHostile =
    "name: hostile\n"
    "about: \"</title><script>alert(1)</script> & \\e[31m \\\"x\\\" \\u202e 'y'\"\n"
    "steps:\n"
    "  - block: {name: a1, parent: genesis}\n"
    "    note: \"<b>\\r\\n\\0 =1+1\"\n";

TEST(Reports, NoTextOfAScenarioBecomesMarkupOrAControlCharacter) {
  const LabReport report = run(kHostile);
  const auto picture = svg_report(report);
  ASSERT_TRUE(picture.has_value());
  EXPECT_THAT(*picture, Not(HasSubstr("<script")));
  EXPECT_THAT(*picture, HasSubstr("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; "));
  EXPECT_THAT(*picture, HasSubstr("&quot;x&quot;"));
  EXPECT_THAT(*picture, HasSubstr("&#39;y&#39;"));
  for (const std::string& text : {*picture, text_report(report), json_report(report),
                                  csv_report(report), dot_report(report)}) {
    for (const char c : text) {
      ASSERT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= ' ') << static_cast<int>(c);
    }
    EXPECT_THAT(text, Not(HasSubstr("\u202e"))) << "a character that turns the order round";
  }
}

TEST(Reports, JsonIsWhatIsPrinted) {
  const LabReport report = run(R"(
name: json
steps:
  - block: {name: a1, parent: genesis, difficulty: 2}
  - block: {name: b1, parent: genesis, difficulty: 3}
    expect: {head: {heaviest: a1}}
)");
  const auto json = nlohmann::json::parse(json_report(report));
  EXPECT_EQ(json["blocks"].size(), 3U);
  EXPECT_EQ(json["blocks"][1]["hash"], report.blocks.block("a1").hash.hex());
  const auto& heaviest = json["rules"][0];
  EXPECT_EQ(heaviest["rule"], "heaviest");
  EXPECT_EQ(heaviest["steps"][1]["heads"][1]["score"], "3");
  EXPECT_EQ(heaviest["steps"][1]["heads"][1]["chosen"], true);
  EXPECT_EQ(heaviest["reorgs"][0]["removed"][0], "a1");
  EXPECT_EQ(heaviest["canonical"][1], "b1");
  EXPECT_EQ(json["expectations"]["unmet"][0]["found"], "b1");
}

TEST(Reports, EveryRowOfCsvHasEveryColumn) {
  const LabReport report =
      run("name: csv\nsteps:\n  - blocks: [{name: a1, parent: genesis}, "
          "{name: b1, parent: genesis}]\n  - wait: 3\n");
  const std::string csv = csv_report(report);
  EXPECT_THAT(csv, HasSubstr("heaviest,1,12,\"blocks a1, b1\",a1,1,1,0,,,,\n"));
  std::size_t rows = 0;
  std::size_t commas = 0;
  bool quoted = false;
  for (const char c : csv) {
    if (c == '"') quoted = !quoted;
    if (c == ',' && !quoted) ++commas;
    if (c != '\n') continue;
    ++rows;
    EXPECT_EQ(commas, 11U) << "row " << rows;
    commas = 0;
  }
  EXPECT_EQ(rows, 1U + 2 * 2);
}

TEST(Reports, APictureHasALimit) {
  const auto chain_of = [](std::size_t count) {
    std::string yaml = "name: long\nsteps:\n  - blocks:\n";
    for (std::size_t i = 1; i <= count; ++i) {
      const std::string parent = i == 1 ? "genesis" : fmt::format("b{}", i - 1);
      yaml += fmt::format("      - {{name: b{}, parent: {}}}\n", i, parent);
    }
    return yaml;
  };
  EXPECT_TRUE(svg_report(run(chain_of(kMaxPictureBlocks))).has_value());
  const auto more = svg_report(run(chain_of(kMaxPictureBlocks + 1)));
  ASSERT_FALSE(more.has_value());
  EXPECT_TRUE(more.error().is(PictureError::too_many_blocks));
}

// The arrows are few; the number of those that are missing is told.
TEST(Reports, APictureDrawsTwelveReorganisationsOfARule) {
  std::string yaml = "name: flips\nsteps:\n  - blocks: [{name: a1, parent: genesis}, ";
  yaml += "{name: b1, parent: genesis}]\n";
  for (int i = 0; i < 20; ++i) {
    yaml += fmt::format("  - votes: [{{by: v, for: {}}}]\n", i % 2 == 0 ? "a1" : "b1");
  }
  const LabReport report = run(yaml);
  const std::size_t reorgs = report.playbacks[1].reorgs.size();
  ASSERT_GE(reorgs, 19U);
  const std::string picture = *svg_report(report);
  EXPECT_THAT(picture, HasSubstr(fmt::format("and {} more, not drawn", reorgs - kMaxDrawnReorgs)));
  std::size_t badges = 0;
  for (std::size_t at = 0; (at = picture.find("class=\"badge\"", at)) != std::string::npos; ++at) {
    ++badges;
  }
  EXPECT_EQ(badges, kMaxDrawnReorgs);
}

}  // namespace
}  // namespace ethnet::lab
