#include "checked_header.hpp"

#include <utility>

#include <crypto/keccak.hpp>
#include <types/header.hpp>

namespace ethnet::mini_sync {

Result<CheckedHeader> check_header(HeaderItem item) {
  const Header header = TRY(Header::decode(item.header));
  CheckedHeader checked;
  checked.block = {Hash32{crypto::keccak256(item.header)}, header.number};
  checked.parent = header.parent_hash;
  checked.beneficiary = header.beneficiary;
  checked.item = std::move(item);
  return checked;
}

}  // namespace ethnet::mini_sync
