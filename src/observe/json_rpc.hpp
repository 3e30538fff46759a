// JSON-RPC 2.0 over HTTP and WebSocket, under the names that Ethereum tools use:
// https://www.jsonrpc.org/specification and https://ethereum.github.io/execution-apis/
//
//   rpc_modules  web3_clientVersion  net_version  net_listening  net_peerCount
//   eth_chainId  eth_syncing  admin_nodeInfo  admin_peers
//   eth_blockNumber, eth_getBlockByNumber, … which the node's thread is asked (rpc_queries.hpp)
//
// What EthScope tells of the node, as `ethnet scope NAME --json` prints it (scope_json.hpp):
//
//   ethscope_summary  ethscope_peers  ethscope_reorgs [limit]  ethscope_forkTree
//   ethscope_dataSets  ethscope_refusals  ethscope_counters (those that are not 0)
//
// Over a WebSocket alone (subscriptions.hpp):
//
//   eth_subscribe ["newHeads"] ["reorgs"] ["events"] ["events", {"after": cursor}]
//   eth_unsubscribe [subscription]
//
// Absent params and null are no params. What has no id is a notification and gets no answer.
//
// A body is read, what it asks of the node is asked, and then all of it is answered.
// Threading: one thread; the log is anybody's. Limits: below, and kMaxHttpBodyBytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <node/query.hpp>
#include <node/snapshot.hpp>

#include "rpc_queries.hpp"

namespace ethnet::observe {

inline constexpr std::size_t kMaxRpcBatch = 100;  // calls of one request: tools send ten at most
inline constexpr std::size_t kMaxRpcDepth = 32;   // arrays and objects inside each other
// Of one answer: a batch that asks for all peers a hundred times would be a hundred times as large.
inline constexpr std::size_t kMaxRpcAnswerBytes = 4 * 1024 * 1024;
// Of the reorganisations in one answer, as they are; as text they are twice as large, and fit.
inline constexpr std::size_t kMaxRpcReorgBytes = 3 * 512 * 1024;

class EventLog;
class Subscriptions;

// What a call is answered from.
struct RpcSource {
  const node::NodeSnapshot* snapshot = nullptr;  // null: before the node's first
  EventLog& log;
  Subscriptions* subscriptions = nullptr;   // null: of a request that has one answer
  std::span<const node::Answer> answers{};  // one for each query; none: the node was silent
};

struct RpcCounters {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
};

class RpcRequest {
 public:
  // `parse_peer`: none where peers may not be changed over HTTP.
  explicit RpcRequest(std::string_view body, const ParsePeer& parse_peer = {});
  ~RpcRequest();
  RpcRequest(RpcRequest&&) noexcept;
  RpcRequest& operator=(RpcRequest&&) noexcept;

  // What the node has to be asked first, kMaxRpcBatch at most.
  [[nodiscard]] const std::vector<node::Query>& queries() const;
  // What goes back; empty: nothing does, since nothing but notifications came.
  [[nodiscard]] std::string answer(const RpcSource& source, RpcCounters& counters) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// To a body that asks nothing of the node.
[[nodiscard]] inline std::string answer_rpc(std::string_view body, const RpcSource& source,
                                            RpcCounters& counters) {
  return RpcRequest{body}.answer(source, counters);
}

}  // namespace ethnet::observe
