// Every target over its corpus, each file also cut short and with bits turned, under the
// sanitizers.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <base/prng.hpp>
#include <gtest/gtest.h>

#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

std::filesystem::path corpus(std::string_view target) {
  return std::filesystem::path{ETHNET_SOURCE_DIR} / "tests/fuzz/corpus" / target;
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  Bytes out;
  for (char c = 0; file.get(c);) out.push_back(static_cast<std::byte>(c));
  return out;
}

class FuzzCorpus : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, EveryFileAndItsMutantsPass) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{corpus(GetParam().name)}) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  ASSERT_FALSE(files.empty());
  Prng prng{1};
  for (const auto& path : files) {
    SCOPED_TRACE(path.string());
    const Bytes input = read_file(path);
    GetParam().run(input);
    for (int i = 0; i < 40; ++i) {
      Bytes mutant = input;
      if (mutant.empty()) break;
      if (i % 2 == 0) mutant.resize(prng.below(mutant.size()));
      for (std::uint64_t flips = prng.below(4); flips > 0 && !mutant.empty(); --flips) {
        mutant[prng.below(mutant.size())] ^= static_cast<std::byte>(1U << prng.below(8));
      }
      GetParam().run(mutant);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Target, FuzzCorpus,
                         ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& one) { return std::string{one.param.name}; });

// A seed that says what our encoders no longer write would be a seed of nothing.
TEST(FuzzSeeds, TheCorpusHoldsEverySeedAsItIsMadeToday) {
  for (const Seed& seed : seeds()) {
    EXPECT_TRUE(read_file(corpus(seed.target) / seed.name) == seed.bytes)
        << seed.target << "/" << seed.name << ": run fuzz_seeds tests/fuzz/corpus";
  }
  for (const Target& target : targets()) {
    EXPECT_TRUE(std::ranges::any_of(seeds(), [&](const Seed& s) {
      return s.target == target.name;
    })) << target.name;
  }
}

}  // namespace
}  // namespace ethnet::fuzz
