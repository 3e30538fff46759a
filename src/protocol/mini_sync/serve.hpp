// Answers GetHeaders from a ChainView. Pure: no state, bounded work (limits.hpp).
#pragma once

#include <chain/chain_view.hpp>

#include "limits.hpp"
#include "messages.hpp"

namespace ethnet::mini_sync {

// At most kMaxHeadersPerResponse headers and `most_bytes`, but one header in any case; empty when
// no locator hash can be used, amount is 0, or the walk leaves what is retained or goes below
// `floor`. Any amount and skip are harmless.
[[nodiscard]] Headers serve_headers(const chain::ChainView& chain, const GetHeaders& request,
                                    std::size_t most_bytes = kMaxResponseBytes,
                                    std::uint64_t floor = 0);

// Our canonical chain as a peer can find the common ancestor in one round trip: the newest 16
// hashes, then steps that double, down to the earliest block; that one always included.
// Newest first; at most kMaxLocatorHashes.
[[nodiscard]] std::vector<chain::BlockRef> make_locator(const chain::ChainView& chain);

}  // namespace ethnet::mini_sync
