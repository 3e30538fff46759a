// A header from a peer, decoded and hashed once.
#pragma once

#include <vector>

#include <base/result.hpp>
#include <chain/chain_view.hpp>
#include <types/address.hpp>
#include <types/hash.hpp>

#include "messages.hpp"

namespace ethnet::mini_sync {

struct CheckedHeader {
  HeaderItem item;
  chain::BlockRef block;
  Hash32 parent;
  Address beneficiary;  // who must have made item.signature, where there is one
};

// Errors: those of Header::decode.
[[nodiscard]] Result<CheckedHeader> check_header(HeaderItem item);
// All of them or the first error; hashed several at once.
[[nodiscard]] Result<std::vector<CheckedHeader>> check_headers(std::vector<HeaderItem> items);

}  // namespace ethnet::mini_sync
