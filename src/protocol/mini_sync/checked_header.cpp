#include "checked_header.hpp"

#include <utility>

#include <crypto/keccak.hpp>
#include <types/header_view.hpp>

namespace ethnet::mini_sync {

Result<CheckedHeader> check_header(HeaderItem item) {
  std::vector<HeaderItem> one;
  one.push_back(std::move(item));
  auto checked = TRY(check_headers(std::move(one)));
  return std::move(checked.front());
}

Result<std::vector<CheckedHeader>> check_headers(std::vector<HeaderItem> items) {
  std::vector<CheckedHeader> out(items.size());
  std::vector<ByteView> encoded;
  encoded.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const HeaderView header = TRY(HeaderView::decode(items[i].header));
    out[i].block.number = header.number;
    copy_into(out[i].parent.bytes, header.parent_hash);
    copy_into(out[i].beneficiary.bytes, header.beneficiary);
    out[i].item = std::move(items[i]);
    encoded.emplace_back(out[i].item.header);
  }
  std::vector<crypto::Digest32> hashes(encoded.size());
  crypto::keccak256_many(encoded, hashes);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].block.hash = Hash32{hashes[i]};
  return out;
}

}  // namespace ethnet::mini_sync
