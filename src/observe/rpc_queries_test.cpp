// Calls for which the node is asked: what they ask, and how its answers look.
#include "rpc_queries.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <types/hash_of.hpp>
#include <types/header.hpp>

#include "event_log.hpp"
#include "json_rpc.hpp"

namespace ethnet::observe {
namespace {

using Json = nlohmann::json;

node::StaticPeer parse(const std::string& text) {
  if (text != "peer:1") throw std::runtime_error("'" + text + "': this is no peer");
  node::StaticPeer peer;
  peer.host = "peer";
  peer.port = 1;
  return peer;
}

node::BlockAnswer block_of(const Header& header) { return {header.hash(), header.encode()}; }

std::string call(const std::string& method, const std::string& params) {
  return R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}";
}

class RpcQueries : public ::testing::Test {
 protected:
  [[nodiscard]] static std::vector<node::Query> asked(const std::string& body,
                                                      const ParsePeer& parse_peer = parse) {
    return RpcRequest{body, parse_peer}.queries();
  }
  [[nodiscard]] Json answer(const std::string& body, std::vector<node::Answer> answers,
                            const ParsePeer& parse_peer = parse) {
    return Json::parse(
        RpcRequest{body, parse_peer}.answer({&snapshot, log, nullptr, answers}, counters));
  }
  [[nodiscard]] int code(const std::string& method, const std::string& params,
                         const ParsePeer& parse_peer = parse) {
    EXPECT_TRUE(asked(call(method, params), parse_peer).empty()) << method << params;
    return answer(call(method, params), {}, parse_peer)["error"]["code"];
  }

  node::NodeSnapshot snapshot;
  EventLog log;
  RpcCounters counters;
};

TEST_F(RpcQueries, ABlockIsAskedForByTagNumberOrHash) {
  const auto which = [](const std::string& method, const std::string& params) {
    const auto queries = asked(call(method, params));
    EXPECT_EQ(queries.size(), 1U);
    return std::get<node::BlockQuery>(queries.at(0)).which;
  };
  using Which = decltype(node::BlockQuery::which);
  EXPECT_EQ(which("eth_getBlockByNumber", R"(["latest",false])"), Which{node::BlockTag::latest});
  EXPECT_EQ(which("eth_getHeaderByNumber", R"(["earliest"])"), Which{node::BlockTag::earliest});
  EXPECT_EQ(which("eth_getBlockByNumber", R"(["0x1f"])"), Which{std::uint64_t{31}});
  EXPECT_EQ(which("eth_getBlockByNumber", R"(["0x0",true])"), Which{std::uint64_t{0}});
  EXPECT_EQ(which("eth_getBlockByNumber", R"(["0xffffffffffffffff"])"), Which{UINT64_MAX});
  Hash32 hash;
  hash.bytes.fill(std::byte{0xab});
  for (const std::string method : {"eth_getBlockByHash", "eth_getHeaderByHash"}) {
    EXPECT_EQ(which(method, "[\"" + hash.hex() + "\"]"), Which{hash});
  }
}

TEST_F(RpcQueries, WhatIsNoBlockIsRefusedAndTheNodeIsNotAsked) {
  for (const std::string bad :
       {"31", "0x", "0x01", "0x-1", "0xg", "0x10000000000000000", "newest", ""}) {
    EXPECT_EQ(code("eth_getBlockByNumber", "[\"" + bad + "\",false]"), -32602) << bad;
  }
  for (const std::string bad : {"0x12", "ab"}) {
    EXPECT_EQ(code("eth_getBlockByHash", "[\"" + bad + "\",false]"), -32602) << bad;
  }
  for (const std::string params :
       {"[]", "{}", "[5]", R"(["0x1",5])", R"(["0x1",true,true])", R"({"a":"0x1"})"}) {
    EXPECT_EQ(code("eth_getBlockByNumber", params), -32602) << params;
  }
  EXPECT_EQ(code("eth_getHeaderByNumber", R"(["0x1",true])"), -32602);
  for (const std::string tag : {"pending", "safe", "finalized"}) {
    EXPECT_EQ(code("eth_getBlockByNumber", "[\"" + tag + "\"]"), -32000) << tag;
  }
}

TEST_F(RpcQueries, AHeaderIsWrittenAsEthereumToolsReadIt) {
  Header header;
  header.number = 255;
  header.difficulty = Uint256{131072};
  header.gas_limit = 30'000'000;
  header.timestamp = 0x5a;
  header.extra_data = {std::byte{0xca}, std::byte{0xfe}};
  header.transactions_root = kEmptyTrieRoot;
  header.ommers_hash = kEmptyListHash;
  header.base_fee_per_gas = Uint256{7};
  header.withdrawals_root = kEmptyTrieRoot;
  header.blob_gas_used = 0;
  header.excess_blob_gas = 16;
  header.parent_beacon_block_root = Hash32{};
  const node::BlockAnswer block = block_of(header);
  const Json got = answer(call("eth_getBlockByNumber", R"(["0xff",false])"), {block})["result"];
  EXPECT_EQ(got["number"], "0xff");
  EXPECT_EQ(got["hash"], header.hash().hex());
  EXPECT_EQ(got["parentHash"], Hash32{}.hex());
  EXPECT_EQ(got["difficulty"], "0x20000");
  EXPECT_EQ(got["gasLimit"], "0x1c9c380");
  EXPECT_EQ(got["gasUsed"], "0x0");
  EXPECT_EQ(got["timestamp"], "0x5a");
  EXPECT_EQ(got["extraData"], "0xcafe");
  EXPECT_EQ(got["nonce"], "0x0000000000000000");
  EXPECT_EQ(got["miner"], "0x" + std::string(40, '0'));
  EXPECT_EQ(got["logsBloom"], "0x" + std::string(512, '0'));
  EXPECT_EQ(got["baseFeePerGas"], "0x7");
  EXPECT_EQ(got["blobGasUsed"], "0x0");
  EXPECT_EQ(got["excessBlobGas"], "0x10");
  EXPECT_EQ(got["parentBeaconBlockRoot"], Hash32{}.hex());
  EXPECT_FALSE(got.contains("requestsHash")) << "of a fork that has not come";
  for (const std::string list : {"transactions", "uncles", "withdrawals"}) {
    EXPECT_EQ(got[list], Json::array()) << list;
  }
}

TEST_F(RpcQueries, OfABodyThatIsNotHereNothingIsSaid) {
  Header header;
  header.transactions_root.bytes.fill(std::byte{1});
  header.ommers_hash.bytes.fill(std::byte{2});
  const node::BlockAnswer block = block_of(header);
  const Json whole = answer(call("eth_getBlockByNumber", R"(["0x0",true])"), {block})["result"];
  const Json head = answer(call("eth_getHeaderByNumber", R"(["0x0"])"), {block})["result"];
  for (const std::string list : {"transactions", "uncles", "withdrawals"}) {
    EXPECT_FALSE(whole.contains(list)) << list;
    EXPECT_FALSE(head.contains(list)) << list;
  }
  EXPECT_EQ(whole["transactionsRoot"], header.transactions_root.hex());
}

TEST_F(RpcQueries, TheNumberOfTheHeadIsTheHeadsOwn) {
  const auto queries = asked(call("eth_blockNumber", "[]"));
  ASSERT_EQ(queries.size(), 1U);
  EXPECT_EQ(std::get<node::BlockQuery>(queries[0]).which,
            decltype(node::BlockQuery::which){node::BlockTag::latest});
  snapshot.head_number = 41;  // of a second ago
  Header head;
  head.number = 42;
  EXPECT_EQ(answer(call("eth_blockNumber", "[]"), {block_of(head)})["result"], "0x2a");
  EXPECT_EQ(code("eth_blockNumber", R"(["latest"])"), -32602);
}

TEST_F(RpcQueries, ABlockThatIsNotKeptIsNull) {
  const Json got = answer(call("eth_getBlockByNumber", R"(["0x1"])"), {node::NoSuchBlock{}});
  EXPECT_TRUE(got.contains("result"));
  EXPECT_EQ(got["result"], nullptr);
}

TEST_F(RpcQueries, PeersAreChangedOnlyWhereThatIsAllowed) {
  const auto queries = asked(call("admin_addPeer", R"(["peer:1"])"));
  ASSERT_EQ(queries.size(), 1U);
  EXPECT_TRUE(std::get<node::PeerQuery>(queries[0]).wanted);
  EXPECT_EQ(std::get<node::PeerQuery>(queries[0]).peer.host, "peer");
  const auto removed = asked(call("admin_removePeer", R"(["peer:1"])"));
  EXPECT_FALSE(std::get<node::PeerQuery>(removed.at(0)).wanted);
  EXPECT_EQ(answer(call("admin_addPeer", R"(["peer:1"])"), {node::PeerAnswer{true}})["result"],
            true);
  EXPECT_EQ(answer(call("admin_addPeer", R"(["peer:1"])"), {node::PeerAnswer{false}})["result"],
            false);
  const Json full = answer(call("admin_addPeer", R"(["peer:1"])"), {node::NotPossible{"too many"}});
  EXPECT_EQ(full["error"]["message"], "too many");
  EXPECT_EQ(code("admin_addPeer", R"(["evil"])"), -32602);
  EXPECT_EQ(code("admin_addPeer", R"(["peer:1"])", {}), -32601) << "off";
  EXPECT_EQ(code("admin_removePeer", R"(["peer:1"])", {}), -32601) << "off";
}

TEST_F(RpcQueries, EachCallOfABatchGetsTheAnswerToItsOwnQuery) {
  Header one;
  one.number = 1;
  Header two;
  two.number = 2;
  const std::string bad =
      R"({"jsonrpc":"1.0","id":9,"method":"eth_getBlockByNumber","params":["0x1"]})";
  const std::string body = "[" + call("eth_getHeaderByNumber", R"(["0x1"])") + "," + bad + "," +
                           call("eth_chainId", "[]") + "," +
                           call("eth_getHeaderByNumber", R"(["bad"])") + "," +
                           call("eth_getHeaderByNumber", R"(["0x2"])") + "]";
  EXPECT_EQ(asked(body).size(), 2U);
  const Json got = answer(body, {block_of(one), block_of(two)});
  ASSERT_EQ(got.size(), 5U);
  EXPECT_EQ(got[0]["result"]["number"], "0x1");
  EXPECT_EQ(got[1]["error"]["code"], -32600);
  EXPECT_EQ(got[2]["result"], "0x0");
  EXPECT_EQ(got[3]["error"]["code"], -32602);
  EXPECT_EQ(got[4]["result"]["number"], "0x2");
}

TEST_F(RpcQueries, ANodeThatIsSilentIsAnError) {
  const Json got = answer(call("eth_getBlockByNumber", R"(["latest"])"), {});
  EXPECT_EQ(got["error"]["code"], -32000);
  EXPECT_EQ(got["error"]["message"], "the node does not answer");
}

TEST_F(RpcQueries, WhatHasChangedIsToldHoweverFullTheAnswerIs) {
  node::PeerView peer;
  peer.client = std::string(100'000, 'x');
  snapshot.peers.assign(30, peer);
  const std::string peers = call("admin_peers", "[]");
  const std::string body =
      "[" + peers + "," + peers + "," + call("admin_addPeer", R"(["peer:1"])") + "," + peers + "]";
  const Json got = answer(body, {node::PeerAnswer{true}});
  EXPECT_TRUE(got[0].contains("result"));
  EXPECT_EQ(got[1]["error"]["code"], -32003);
  EXPECT_EQ(got[2]["result"], true);
  EXPECT_EQ(got[3]["error"]["code"], -32003);
}

TEST_F(RpcQueries, ANotificationChangesPeersAndIsNotAnswered) {
  const std::string body = R"({"jsonrpc":"2.0","method":"admin_addPeer","params":["peer:1"]})";
  EXPECT_EQ(asked(body).size(), 1U);
  const std::vector<node::Answer> answers{node::PeerAnswer{true}};
  EXPECT_EQ((RpcRequest{body, parse}.answer({&snapshot, log, nullptr, answers}, counters)), "");
}

}  // namespace
}  // namespace ethnet::observe
