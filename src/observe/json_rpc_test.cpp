// JSON-RPC 2.0 by its specification, and each method's answer.
#include "json_rpc.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "event_log.hpp"
#include "grpc_server.hpp"

namespace ethnet::observe {
namespace {

using Json = nlohmann::json;

node::NodeSnapshot snapshot() {
  node::NodeSnapshot out;
  out.client = "MiniEthNet/v1";
  out.clock_ahead_seconds = -16;
  out.discovery_port = 32303;
  out.enode = "enode://ab@127.0.0.1:30303";
  out.enr = "enr:abc";
  out.listen = {IpAddress::loopback_v4(), 30303};
  out.chain_id = 1337;
  out.head_number = 255;
  out.sessions = 2;
  node::PeerView peer;
  peer.remote = {IpAddress::loopback_v4(), 9001};
  peer.inbound = true;
  peer.client = "<b>\\x1b\"evil\"</b>";
  peer.capabilities = {"das-lite/0.1", "mini-sync/0.1"};
  out.peers.push_back(peer);
  out.blocks = std::make_shared<const std::vector<node::BlockView>>(
      std::vector<node::BlockView>{{.hash = {}, .parent = {}, .number = 255, .canonical = true}});
  node::DataSetView set;
  set.chunks = {node::ChunkState::held, node::ChunkState::missing};
  out.data_sets.push_back(set);
  out.refusals = {{.reason = "too many peers", .inbound = true, .total = 5, .recent = 2}};
  out.counters = {{"a.b", 3}, {"a.c", 0}};
  return out;
}

std::string raw(std::string_view body) {
  static const node::NodeSnapshot s = snapshot();
  RpcCounters counters;
  EventLog log;
  return answer_rpc(body, {&s, log}, counters);
}
Json ask(std::string_view body) { return Json::parse(raw(body)); }
Json result(const std::string& method) {
  const Json answer = ask(R"({"jsonrpc":"2.0","id":1,"method":")" + method + "\"}");
  EXPECT_EQ(answer["id"], 1);
  EXPECT_EQ(answer["jsonrpc"], "2.0");
  EXPECT_FALSE(answer.contains("error")) << answer;
  return answer["result"];
}
int code(std::string_view body) {
  const Json answer = ask(body);
  EXPECT_FALSE(answer.contains("result")) << answer;
  EXPECT_TRUE(answer["error"]["message"].is_string());
  return answer["error"]["code"];
}

TEST(JsonRpc, EachMethodAnswersInEthereumsForm) {
  EXPECT_EQ(result("web3_clientVersion"), "MiniEthNet/v1");
  EXPECT_EQ(result("net_version"), "1337");
  EXPECT_EQ(result("net_listening"), true);
  EXPECT_EQ(result("net_peerCount"), "0x2");
  EXPECT_EQ(result("eth_chainId"), "0x539");
  EXPECT_EQ(result("eth_syncing"), false);
  EXPECT_EQ(result("rpc_modules")["eth"], "1.0");
  const Json info = result("admin_nodeInfo");
  EXPECT_EQ(info["id"], std::string(64, '0')) << "without 0x, as go-ethereum has it";
  EXPECT_EQ(info["enode"], "enode://ab@127.0.0.1:30303");
  EXPECT_EQ(info["enr"], "enr:abc");
  EXPECT_EQ(info["ip"], "127.0.0.1");
  EXPECT_EQ(info["ports"]["listener"], 30303);
  EXPECT_EQ(info["ports"]["discovery"], 32303);
  EXPECT_EQ(info["protocols"]["mini-sync"]["genesis"], "0x" + std::string(64, '0'));
  EXPECT_EQ(info["protocols"]["mini-sync"]["number"], 255);
}

TEST(JsonRpc, TheListOfPeersSaysWhatTheyAreAsText) {
  const Json peers = result("admin_peers");
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0]["name"], "<b>\\x1b\"evil\"</b>") << "escaped once as JSON, not twice";
  EXPECT_EQ(peers[0]["caps"], Json({"das-lite/0.1", "mini-sync/0.1"}));
  EXPECT_EQ(peers[0]["network"]["remoteAddress"], "127.0.0.1:9001");
  EXPECT_EQ(peers[0]["network"]["inbound"], true);
  EXPECT_EQ(peers[0]["visit"], false);
}

// What `ethnet scope NAME --json` prints, key by key in its order.
TEST(JsonRpc, EthScopesMethodsAnswerInItsOwnForm) {
  const std::string zero = "\"0x" + std::string(64, '0') + "\"";
  EXPECT_EQ(raw(R"({"jsonrpc":"2.0","id":1,"method":"ethscope_peers"})"),
            R"({"id":1,"jsonrpc":"2.0","result":{"peers":[{"id":)" + zero +
                R"(,"capabilities":["das-lite/0.1","mini-sync/0.1"],"direction":"INBOUND",)"
                R"("address":"127.0.0.1:9001","rtt_ns":0,"bytes_in":0,"bytes_out":0,"score":0.0,)"
                R"("client":"<b>\\x1b\"evil\"</b>","age_ns":0,"visit":false,"head":{"hash":)" +
                zero + R"(,"number":0}}]}})");
  const Json summary = result("ethscope_summary");
  EXPECT_EQ(summary["chain_id"], 1337);
  EXPECT_EQ(summary["active_peers"], 2);
  EXPECT_EQ(summary["clock_ahead_seconds"], -16);
  EXPECT_EQ(summary["canonical_head"]["number"], 255);
  EXPECT_EQ(summary["cursor"], 0);
  const Json tree = result("ethscope_forkTree");
  ASSERT_EQ(tree["nodes"].size(), 1U);
  EXPECT_EQ(tree["nodes"][0]["number"], 255);
  EXPECT_EQ(tree["nodes"][0]["canonical"], true);
  EXPECT_EQ(tree["cut"], false);
  const Json sets = result("ethscope_dataSets");
  ASSERT_EQ(sets["data_sets"].size(), 1U);
  EXPECT_EQ(sets["data_sets"][0]["chunks"], Json({"HELD", "MISSING"}));
  EXPECT_EQ(result("ethscope_refusals"), Json::parse(R"({"refusals":[{"reason":"too many peers",
      "direction":"INBOUND","total":5,"recent":2}]})"));
  EXPECT_EQ(result("ethscope_counters"), Json::parse(R"({"a.b":3})"));
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"ethscope_peers","params":[1]})"), -32602);
}

TEST(JsonRpc, EthScopesReorganisationsAreTheNewestUpToALimit) {
  const node::NodeSnapshot s = snapshot();
  EventLog log;
  for (std::uint64_t i = 1; i <= kDefaultReorgs + 2; ++i) {
    node::Reorganised reorg;
    reorg.height = i;
    reorg.added = {Hash32{}};
    log.append({}, reorg);
  }
  RpcCounters counters;
  const auto with = [&](const std::string& params) {
    return Json::parse(
        answer_rpc(R"({"jsonrpc":"2.0","id":1,"method":"ethscope_reorgs","params":)" + params + "}",
                   {&s, log}, counters));
  };
  for (const std::string params : {"[]", "null", "[0]", "{}"}) {
    EXPECT_EQ(with(params)["result"]["reorgs"].size(), kDefaultReorgs) << params;
  }
  const Json two = with("[2]")["result"];
  EXPECT_EQ(two["total"], kDefaultReorgs + 2);
  ASSERT_EQ(two["reorgs"].size(), 2U);
  EXPECT_EQ(two["reorgs"][0]["reorg"]["new_head"]["number"], kDefaultReorgs + 2);
  EXPECT_EQ(two["reorgs"][0]["cursor"], kDefaultReorgs + 2);
  EXPECT_EQ(with("[256]")["result"]["reorgs"].size(), kDefaultReorgs + 2);
  for (const std::string params :
       {"[257]", "[-1]", "[1.5]", "[\"2\"]", "[null]", "[1,2]", "{\"limit\":1}", "[[1]]"}) {
    EXPECT_EQ(with(params)["error"]["code"], -32602) << params;
  }
}

TEST(JsonRpc, atk_A6_TheReorganisationsOfAnAnswerFitIt) {
  const node::NodeSnapshot s = snapshot();
  EventLog log;
  node::Reorganised reorg;
  reorg.added.assign(kMaxBlocksInEvent, Hash32{});
  for (int i = 0; i < 10; ++i) log.append({}, reorg);
  RpcCounters counters;
  const std::string text =
      answer_rpc(R"({"jsonrpc":"2.0","id":1,"method":"ethscope_reorgs"})", {&s, log}, counters);
  EXPECT_LE(text.size(), kMaxRpcAnswerBytes);
  const Json answer = Json::parse(text);
  EXPECT_GE(answer["result"]["reorgs"].size(), 2U);
  EXPECT_EQ(answer["result"]["total"], 10);
}

TEST(JsonRpc, ADownloadIsSyncingFromToAndWhere) {
  node::NodeSnapshot s = snapshot();
  s.syncing = node::SyncView{.start = 16, .target = 4096};
  RpcCounters counters;
  EventLog log;
  const Json answer = Json::parse(
      answer_rpc(R"({"jsonrpc":"2.0","id":1,"method":"eth_syncing"})", {&s, log}, counters));
  EXPECT_EQ(answer["result"], Json::parse(R"({"startingBlock":"0x10","currentBlock":"0xff",
                                              "highestBlock":"0x1000"})"));
}

TEST(JsonRpc, AnIdComesBackAsItIs) {
  for (const std::string id : {"1", "0", "-7", "\"x\"", "\"\"", "null", "18446744073709551615"}) {
    const Json answer = ask(R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"net_version"})");
    EXPECT_EQ(answer["id"].dump(), id);
    EXPECT_EQ(answer["result"], "1337");
  }
}

TEST(JsonRpc, EachErrorHasTheSpecificationsCode) {
  EXPECT_EQ(code("{"), -32700);
  EXPECT_EQ(code(""), -32700);
  EXPECT_EQ(code("\xff"), -32700);
  EXPECT_EQ(ask("{")["id"], nullptr);
  for (const std::string_view bad :
       {"1", "\"x\"", "null", "\"null\"", "[]", "{}", R"({"id":1,"method":"net_version"})",
        R"({"jsonrpc":"1.0","id":1,"method":"net_version"})",
        R"({"jsonrpc":2.0,"id":1,"method":"net_version"})",
        R"({"jsonrpc":"2.0","id":1,"method":5})", R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":{},"method":"net_version"})",
        R"({"jsonrpc":"2.0","id":[1],"method":"net_version"})",
        R"({"jsonrpc":"2.0","id":true,"method":"net_version"})",
        R"({"jsonrpc":"2.0","id":1,"method":"net_version","params":5})",
        R"({"jsonrpc":"2.0","id":1,"method":"net_version","params":"null"})"}) {
    EXPECT_EQ(code(bad), -32600) << bad;
  }
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"eth_sendTransaction"})"), -32601);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"net_version","params":[1]})"), -32602);
}

TEST(JsonRpc, atk_A6_NullAndAbsentParamsAreNone) {
  for (const std::string_view params :
       {"", R"(,"params":null)", R"(,"params":[])", R"(,"params":{})"}) {
    const std::string body =
        R"({"jsonrpc":"2.0","id":1,"method":"net_version")" + std::string{params} + "}";
    EXPECT_EQ(ask(body)["result"], "1337") << body;
  }
}

TEST(JsonRpc, ANotificationGetsNoAnswerAloneOrInABatch) {
  const std::string note = R"({"jsonrpc":"2.0","method":"net_version"})";
  const std::string unknown = R"({"jsonrpc":"2.0","method":"none"})";
  const std::string call = R"({"jsonrpc":"2.0","id":2,"method":"net_version"})";
  EXPECT_EQ(raw(note), "");
  EXPECT_EQ(raw(unknown), "");
  EXPECT_EQ(raw("[" + note + "," + unknown + "]"), "");
  const Json answer = ask("[" + note + "," + call + ",5]");
  ASSERT_EQ(answer.size(), 2U);
  EXPECT_EQ(answer[0]["id"], 2);
  EXPECT_EQ(answer[1]["error"]["code"], -32600);
}

std::string batch_of(std::size_t count, const std::string& method) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ",";
    out += R"({"jsonrpc":"2.0","id":1,"method":")" + method + "\"}";
  }
  return out + "]";
}

TEST(JsonRpc, atk_A6_ABatchHasAHundredCallsAtMost) {
  EXPECT_EQ(ask(batch_of(kMaxRpcBatch, "net_version")).size(), kMaxRpcBatch);
  EXPECT_EQ(code(batch_of(kMaxRpcBatch + 1, "net_version")), -32600);
}

TEST(JsonRpc, atk_A6_AnAnswerIsBoundedWhateverTheBatchAsksFor) {
  node::NodeSnapshot s = snapshot();
  s.peers.assign(1000, s.peers.front());
  RpcCounters counters;
  EventLog log;
  const std::string answer = answer_rpc(batch_of(kMaxRpcBatch, "admin_peers"), {&s, log}, counters);
  EXPECT_LE(answer.size(), kMaxRpcAnswerBytes + 100 * kMaxRpcBatch);
  const Json all = Json::parse(answer);
  EXPECT_EQ(all.size(), kMaxRpcBatch);
  EXPECT_TRUE(all.front().contains("result"));
  EXPECT_EQ(all.back()["error"]["code"], -32003);
  EXPECT_GT(counters.errors, 0U);
}

TEST(JsonRpc, atk_A6_WhatNestsDeeplyIsRefused) {
  const std::string deep(kMaxRpcDepth + 2, '[');
  EXPECT_EQ(code(deep + std::string(deep.size(), ']')), -32600);
  EXPECT_EQ(code(std::string(1024 * 1024, '[')), -32600);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_EQ(code(objects), -32600);
}

TEST(JsonRpc, BeforeTheFirstSnapshotItSaysSo) {
  RpcCounters counters;
  EventLog log;
  const Json answer = Json::parse(
      answer_rpc(R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId"})", {nullptr, log}, counters));
  EXPECT_EQ(answer["error"]["code"], -32000);
  EXPECT_EQ(counters.calls, 1U);
  EXPECT_EQ(counters.errors, 1U);
}

}  // namespace
}  // namespace ethnet::observe
