// The methods of JSON-RPC for which the node's thread is asked (node/query.hpp):
//
//   eth_blockNumber
//   eth_getBlockByNumber  eth_getBlockByHash  eth_getHeaderByNumber  eth_getHeaderByHash
//   admin_addPeer  admin_removePeer: only where the owner allows it (--http.api admin)
//
// What a call asks, and what its answer is as JSON. Pure functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>
#include <node/query.hpp>

#include "rpc_failure.hpp"

namespace ethnet::observe {

// A peer as a person writes it. Throws std::runtime_error with one clear line.
using ParsePeer = std::function<node::StaticPeer(const std::string&)>;

[[nodiscard]] bool asks_node(std::string_view method);
// CHECK: asks_node(method). `parse_peer`: none where peers may not be changed.
[[nodiscard]] RpcOutcome<node::Query> query_of(std::string_view method,
                                               const nlohmann::json& params,
                                               const ParsePeer& parse_peer);
// `answer`: to what query_of() gave.
[[nodiscard]] RpcOutcome<std::string> answer_text(std::string_view method,
                                                  const node::Answer& answer);

}  // namespace ethnet::observe
