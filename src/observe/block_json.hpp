// A header as Ethereum's JSON-RPC writes a block, execution-apis, schemas/block.yaml: what a header
// tells. A node here has no bodies: transactions, uncles and withdrawals are there only where the
// header proves that there are none. Limits: kMaxHeaderBytes.
#pragma once

#include <string>

#include <node/query.hpp>

namespace ethnet::observe {

// CHECK: `block.header` decodes; the node keeps no other.
[[nodiscard]] std::string block_json(const node::BlockAnswer& block);
// The header alone, without what is known of the body: eth_getHeaderBy… and newHeads.
[[nodiscard]] std::string header_json(const node::BlockAnswer& block);
// Its number, as a quantity: eth_blockNumber.
[[nodiscard]] std::string number_json(const node::BlockAnswer& block);

}  // namespace ethnet::observe
