#include "rule_book.hpp"

#include <gmock/gmock.h>

#include "longest.hpp"

namespace ethnet::chain {
namespace {

using ::testing::Contains;

class Named final : public ForkChoiceRule {
 public:
  explicit Named(std::string name) : name_{std::move(name)} {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] Candidate choose(const RuleView& view) const override { return view.present(); }
  [[nodiscard]] Score explain(const RuleView&, const Candidate&) const override { return {}; }

 private:
  std::string name_;
};

RuleBook::Make named(const std::string& name) {
  return [name] { return std::make_unique<Named>(name); };
}

TEST(RuleBook, ARuleThatWasAddedIsFoundAndMadeByItsNameBesideThoseOfTheTable) {
  RuleBook rules;
  EXPECT_TRUE(rules.parse("mine").error().is(RuleError::unknown_rule));
  ASSERT_TRUE(rules.add(named("mine")).has_value());
  EXPECT_EQ(rules.parse("mine"), (RuleChoice{"mine", ""}));
  EXPECT_EQ((*rules.make({"mine", ""}))->name(), "mine");
  EXPECT_EQ(rules.parse("longest"), (RuleChoice{"longest-chain", ""}));
  EXPECT_EQ((*rules.make({"random", "7"}))->name(), "random");
  EXPECT_THAT(rules.names(), Contains("mine"));
  EXPECT_THAT(rules.names(), Contains("longest-chain (longest)"));
  EXPECT_TRUE(rules.is_added("mine"));
  EXPECT_FALSE(rules.is_added("longest-chain"));
}

TEST(RuleBook, AnotherBookDoesNotKnowIt) {
  RuleBook rules;
  const RuleBook before = rules;
  ASSERT_TRUE(rules.add(named("mine")).has_value());
  EXPECT_TRUE(before.make({"mine", ""}).error().is(RuleError::unknown_rule));
  EXPECT_TRUE(RuleBook{}.parse("mine").error().is(RuleError::unknown_rule));
}

TEST(RuleBook, ANameThatIsTakenOrCannotStandInAListIsATypedError) {
  RuleBook rules;
  EXPECT_TRUE(rules.add<LongestChain>().error().is(RuleError::name_taken));
  EXPECT_TRUE(rules.add(named("longest")).error().is(RuleError::name_taken));
  ASSERT_TRUE(rules.add(named("mine")).has_value());
  EXPECT_TRUE(rules.add(named("mine")).error().is(RuleError::name_taken));
  for (const char* bad : {"", "a b", "a:b", "a\n", "\xc3\xa4"}) {
    EXPECT_TRUE(rules.add(named(bad)).error().is(RuleError::bad_name)) << bad;
  }
  EXPECT_EQ(rules.names().size(), fork_choice_rule_names().size() + 1);
}

TEST(RuleBook, ARuleThatWasAddedTakesNoParameter) {
  RuleBook rules;
  ASSERT_TRUE(rules.add(named("mine")).has_value());
  EXPECT_TRUE(rules.parse("mine:7").error().is(RuleError::unexpected_parameter));
  EXPECT_TRUE(rules.parse("mine:").error().is(RuleError::unexpected_parameter));
  EXPECT_TRUE(rules.make({"mine", "7"}).error().is(RuleError::unexpected_parameter));
}

}  // namespace
}  // namespace ethnet::chain
