// /metrics, read strictly, and held against the counters of a real node.
#include "metrics.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>
#include <node/testing/net.hpp>
#include <unistd.h>

#include "testing/exposition.hpp"

namespace ethnet::observe {
namespace {

using node::Counter;
using node::CounterKind;
using node::NodeSnapshot;
using testing::Exposition;
using testing::read_exposition;

NodeSnapshot with(std::vector<Counter> counters) {
  NodeSnapshot out;
  out.counters = std::move(counters);
  return out;
}

// Of a node that has every part, after it had peers.
const NodeSnapshot& real_snapshot() {
  static const NodeSnapshot snapshot = [] {
    node::Net net;
    node::NodeConfig makes = node::producing(true);
    makes.discovery.emplace();
    makes.das.emplace();
    makes.client = "of the \"test\"\n\\";
    node::Box& box = net.add(makes, 1);
    net.add(node::dialling({1}), 2);
    net.run(seconds(21));
    return box.node->snapshot(net.now_of(box));
  }();
  return snapshot;
}

TEST(Metrics, OfARealNodeAreWellFormedAndEachCounterIsThereWithHelpAndType) {
  const NodeSnapshot& snapshot = real_snapshot();
  const Exposition page = read_exposition(prometheus_text(snapshot));
  ASSERT_EQ(page.problem, "");
  EXPECT_GE(snapshot.counters.size(), 200U);
  // As many samples as counters, beside go-ethereum's names and the three on the node itself.
  std::size_t ours = 0;
  for (const auto& [series, value] : page.value) ours += series.starts_with("ethnet_") ? 1U : 0U;
  EXPECT_EQ(ours, snapshot.counters.size() + 3) << "two counters fell on one name";
  for (const auto& [metric, help] : page.help) {
    EXPECT_EQ(help.find("no text yet"), std::string::npos) << metric << ": add it to metric_help";
    ASSERT_TRUE(page.type.contains(metric));
    EXPECT_EQ(page.type.at(metric) == "counter", metric.ends_with("_total")) << metric;
  }
}

TEST(Metrics, SayWhatTheNodeSays) {
  const NodeSnapshot& snapshot = real_snapshot();
  const Exposition page = read_exposition(prometheus_text(snapshot));
  const auto counter = [&](std::string_view name) {
    return std::ranges::find(snapshot.counters, name, &Counter::name)->value;
  };
  EXPECT_EQ(page.value.at("p2p_peers"), 1U);
  EXPECT_EQ(page.value.at("p2p_peers_inbound"), 1U);
  EXPECT_EQ(page.value.at("p2p_peers_outbound"), 0U);
  EXPECT_GE(snapshot.head_number, 5U);
  EXPECT_EQ(page.value.at("chain_head_header"), snapshot.head_number);
  EXPECT_GE(page.value.at("chain_reorg_executes"), 1U);
  EXPECT_EQ(page.value.at("chain_reorg_executes"), counter("chain.reorgs"));
  EXPECT_GE(page.value.at("chain_reorg_add"), page.value.at("chain_reorg_drop"));
  EXPECT_GE(page.value.at("chain_reorg_drop"), page.value.at("chain_reorg_executes"));
  EXPECT_EQ(page.value.at("ethnet_chain_headers_total"), counter("chain.headers"));
  EXPECT_EQ(page.type.at("ethnet_chain_kept"), "gauge");
  EXPECT_EQ(page.value.at("ethnet_sync_active"), 0U);
}

TEST(Metrics, ReasonsAndDirectionsAreLabels) {
  const Exposition page =
      read_exposition(prometheus_text(with({{"session.refused.too_many_peers.inbound", 3},
                                            {"session.refused.too_many_peers.outbound", 4},
                                            {"session.refused.bad_proof.outbound", 5},
                                            {"session.closed.ping_timeout", 6},
                                            {"session.active.inbound", 7, CounterKind::gauge},
                                            {"peers.dials.table", 8},
                                            {"peers.dials.failed", 9}})));
  ASSERT_EQ(page.problem, "");
  const auto at = [&](const std::string& series) { return page.value.at(series); };
  const std::string refused = "ethnet_session_refused_total";
  EXPECT_EQ(at(refused + R"({reason="too_many_peers",direction="inbound"})"), 3U);
  EXPECT_EQ(at(refused + R"({reason="too_many_peers",direction="outbound"})"), 4U);
  EXPECT_EQ(at(R"(ethnet_session_closed_total{reason="ping_timeout"})"), 6U);
  EXPECT_EQ(at(R"(ethnet_session_active{direction="inbound"})"), 7U);
  EXPECT_EQ(at(R"(ethnet_peers_dials_total{source="table"})"), 8U);
  EXPECT_EQ(at("ethnet_peers_dials_failed_total"), 9U) << "a result is no source";
  EXPECT_EQ(at("p2p_dials_error_saturated"), 4U) << "only dials, only ours";
  EXPECT_EQ(at("p2p_dials_error_other"), 5U);
  EXPECT_EQ(at("p2p_dials"), 8U);
}

// A machine has no sockets: who runs it adds what they counted.
TEST(Metrics, TrafficHasTheNamesOfGoEthereum) {
  const Exposition page =
      read_exposition(prometheus_text(with({{"udp.bytes_in", 1234}, {"udp.bytes_out", 567}})));
  ASSERT_EQ(page.problem, "");
  EXPECT_EQ(page.value.at("p2p_ingress"), 1234U);
  EXPECT_EQ(page.value.at("p2p_egress"), 567U);
  EXPECT_EQ(page.type.at("p2p_ingress"), "gauge");
  EXPECT_EQ(page.value.at("ethnet_udp_bytes_in_total"), 1234U);
  EXPECT_EQ(page.value.at("ethnet_udp_bytes_out_total"), 567U);
  EXPECT_EQ(page.help.at("ethnet_udp_bytes_in_total").find("no text yet"), std::string::npos);
}

TEST(Metrics, NoNameAndNoLabelBreaksTheFormat) {
  const std::string evil = "a\n# TYPE x counter\nx{y=\"\\";
  NodeSnapshot snapshot = with({{evil, 1}, {"session.closed." + evil, 2}});
  snapshot.client = evil;
  const Exposition page = read_exposition(prometheus_text(snapshot));
  EXPECT_EQ(page.problem, "");
  EXPECT_FALSE(page.type.contains("x"));
}

// The reader has to refuse what a scraper would.
TEST(Metrics, TheReaderOfTheseTestsIsStrict) {
  const std::string good = "# HELP a b\n# TYPE a gauge\na{x=\"1\"} 2\n";
  EXPECT_EQ(read_exposition(good).problem, "");
  const auto bad = [](const std::string& text) { return !read_exposition(text).problem.empty(); };
  EXPECT_TRUE(bad(""));
  EXPECT_TRUE(bad("# HELP a b\n# TYPE a gauge\na 1")) << "no end of line";
  EXPECT_TRUE(bad("# HELP a b\n# TYPE a gauge\n")) << "no sample";
  EXPECT_TRUE(bad("# HELP a b\na 1\n")) << "no type";
  EXPECT_TRUE(bad("# TYPE a gauge\na 1\n")) << "no help";
  EXPECT_TRUE(bad("# HELP a b\n# TYPE a meter\na 1\n"));
  EXPECT_TRUE(bad(good + good)) << "twice";
  EXPECT_TRUE(bad(good + "a{x=\"1\"} 3\n")) << "a series twice";
  EXPECT_TRUE(bad(good + "a{y=\"1\"} 3\n")) << "other labels";
  EXPECT_TRUE(bad(good + "b 3\n")) << "of another metric";
  EXPECT_TRUE(bad(good + "a{x=\"\"\"} 3\n"));
  EXPECT_TRUE(bad(good + "a{x=\"\\t\"} 3\n"));
  EXPECT_TRUE(bad(good + "a{x=\"1\" 3\n"));
  EXPECT_TRUE(bad(good + "a{x=\"2\"} two\n"));
  EXPECT_TRUE(bad("# HELP 1a b\n# TYPE 1a gauge\n1a 1\n"));
}

TEST(Metrics, PromtoolAcceptsThem) {
  ASSERT_EQ(std::system("command -v promtool >/dev/null 2>&1"), 0) << "./dev setup installs it";
  const std::string path = ::testing::TempDir() + "metrics-" + std::to_string(::getpid());
  std::ofstream{path} << prometheus_text(real_snapshot());
  EXPECT_EQ(std::system(("promtool check metrics < " + path).c_str()), 0);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace ethnet::observe
