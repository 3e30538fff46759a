#include <algorithm>

#include <apps/common/diagnosis.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sim/seeded_secure_rng.hpp>
#include <types/enr.hpp>

namespace ethnet::app {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

std::string record_of(const std::optional<Endpoint>& at) {
  sim::SeededSecureRng rng{Prng{1}};
  EnrBuilder builder{1};
  if (at) builder.ip(at->ip);
  builder.quic(at ? at->port : 9001);
  return builder.sign(crypto::SecretKey::generate(rng))->record().text();
}

class Diagnosis : public ::testing::Test {
 protected:
  Check find(const std::string& name) const {
    for (const Check& check : checks()) {
      if (check.name == name) return check;
    }
    ADD_FAILURE() << "no check " << name;
    return {};
  }
  std::vector<Check> checks() const {
    return examine(summary.dump(), Json{{"peers", peers}}.dump(),
                   Json{{"refusals", refusals}}.dump());
  }
  static Json refusal(const std::string& reason, const std::string& direction,
                      std::uint64_t recent) {
    return Json{{"reason", reason}, {"direction", direction}, {"total", 9}, {"recent", recent}};
  }

  static constexpr std::int64_t kHourNs = 3'600'000'000'000;
  const Endpoint here = *Endpoint::parse("192.0.2.1:9001");
  Json summary{{"listen", "[::]:9001"}, {"enr", record_of(here)},   {"observed", "192.0.2.1:9001"},
               {"started_unix_ns", 0},  {"taken_unix_ns", kHourNs}, {"active_peers", 3},
               {"max_peers", 50},       {"discovered_peers", 20}};
  Json peers = Json::array({Json{{"direction", "INBOUND"}}, Json{{"direction", "OUTBOUND"}}});
  Json refusals = Json::array();
};

TEST_F(Diagnosis, OfAHealthyNodeThereIsNothingToSay) {
  for (const Check& check : checks()) {
    EXPECT_EQ(check.finding, Finding::good) << check.name << ": " << check.what;
    EXPECT_TRUE(check.advice.empty()) << check.name;
  }
  EXPECT_EQ(checks().size(), 4U);
}

TEST_F(Diagnosis, ARecordThatSaysAnotherAddressThanPeersSeeIsBad) {
  summary["observed"] = "192.0.2.9:40001";
  const Check check = find("address");
  EXPECT_EQ(check.finding, Finding::bad);
  EXPECT_THAT(check.what, HasSubstr("192.0.2.1:9001"));
  EXPECT_THAT(check.what, HasSubstr("192.0.2.9:40001"));
  EXPECT_THAT(check.advice, HasSubstr("--nat"));
}

TEST_F(Diagnosis, AnAddressOfIPv6IsOneToo) {
  const Endpoint six = *Endpoint::parse("[2001:db8::1]:9001");
  summary["enr"] = record_of(six);
  EXPECT_EQ(find("address").finding, Finding::note) << "peers see another family";
  summary["observed"] = six.to_string();
  EXPECT_EQ(find("address").finding, Finding::good);
  EXPECT_THAT(find("address").what, HasSubstr(six.to_string()));
  summary.erase("observed");
  EXPECT_EQ(find("address").finding, Finding::good);
}

TEST_F(Diagnosis, ARecordWithoutAnAddressIsNoted) {
  summary["enr"] = record_of(std::nullopt);
  EXPECT_EQ(find("address").finding, Finding::note);
  summary.erase("observed");
  EXPECT_EQ(find("address").finding, Finding::note);
  EXPECT_THAT(find("address").advice, HasSubstr("--nat extip:IP"));
}

TEST_F(Diagnosis, AClockThatOthersDoubtIsBad) {
  summary["clock_ahead_seconds"] = 41;
  EXPECT_EQ(find("clock").finding, Finding::bad);
  EXPECT_THAT(find("clock").what, HasSubstr("ahead by 41 s"));
  EXPECT_THAT(find("clock").advice, HasSubstr("NTP"));
  summary["clock_ahead_seconds"] = -16;
  EXPECT_THAT(find("clock").what, HasSubstr("behind by 16 s"));
}

TEST_F(Diagnosis, NobodyWhoDialsInIsBadOnceThereHasBeenTime) {
  peers = Json::array({Json{{"direction", "OUTBOUND"}}});
  EXPECT_EQ(find("reachable").finding, Finding::bad);
  EXPECT_THAT(find("reachable").advice, HasSubstr("9001/udp through the firewall"));
  summary["taken_unix_ns"] = kHourNs / 60;
  EXPECT_EQ(find("reachable").finding, Finding::note);
  refusals.push_back(refusal("too many peers", "INBOUND", 1));
  EXPECT_THAT(find("reachable").what, HasSubstr("none of them has stayed"));
}

TEST_F(Diagnosis, ANodeWithoutPeersIsToldWhereToBegin) {
  summary["active_peers"] = 0;
  EXPECT_EQ(find("peers").finding, Finding::bad);
  EXPECT_THAT(find("peers").advice, HasSubstr("dials fail"));
  summary["discovered_peers"] = 0;
  EXPECT_THAT(find("peers").advice, HasSubstr("--bootnodes"));
}

TEST_F(Diagnosis, TheMostFrequentReasonsOfLateAreToldInEachDirectionWithTheirCure) {
  refusals.push_back(refusal("too many peers", "INBOUND", 30));
  refusals.push_back(refusal("wrong genesis", "OUTBOUND", 7));
  refusals.push_back(refusal("ping timeout", "INBOUND", 0));  // not of late
  for (int i = 0; i < 9; ++i) refusals.push_back(refusal("self connection", "OUTBOUND", 1));
  const auto all = checks();
  const auto count = [&](const std::string& name) {
    return std::ranges::count(all, name, &Check::name);
  };
  EXPECT_EQ(count("refused in"), 1);
  EXPECT_EQ(count("refused out"), 5);
  EXPECT_EQ(find("refused in").what, "30 in the last ten minutes: too many peers");
  EXPECT_THAT(find("refused in").advice, HasSubstr("--maxpeers"));
  EXPECT_THAT(find("refused out").what, HasSubstr("wrong genesis"));
  EXPECT_THAT(find("refused out").advice, HasSubstr("--genesis"));
}

}  // namespace
}  // namespace ethnet::app
