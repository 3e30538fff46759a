#include "checked_header.hpp"

#include <utility>

#include <crypto/keccak.hpp>
#include <types/header_view.hpp>

namespace ethnet::mini_sync {

namespace {

// All but the hash.
Result<CheckedHeader> read_fields(HeaderItem item) {
  const HeaderView header = TRY(HeaderView::decode(item.header));
  CheckedHeader out;
  out.block.number = header.number;
  copy_into(out.parent.bytes, header.parent_hash);
  copy_into(out.beneficiary.bytes, header.beneficiary);
  out.item = std::move(item);
  return out;
}

}  // namespace

Result<CheckedHeader> check_header(HeaderItem item) {
  CheckedHeader out = TRY(read_fields(std::move(item)));
  out.block.hash = Hash32{crypto::keccak256(out.item.header)};
  return out;
}

Result<std::vector<CheckedHeader>> check_headers(std::vector<HeaderItem> items) {
  std::vector<CheckedHeader> out;
  std::vector<ByteView> encoded;
  out.reserve(items.size());
  encoded.reserve(items.size());
  for (HeaderItem& item : items) {
    CheckedHeader checked = TRY(read_fields(std::move(item)));
    out.push_back(std::move(checked));
    encoded.emplace_back(out.back().item.header);
  }
  std::vector<crypto::Digest32> hashes(encoded.size());
  crypto::keccak256_many(encoded, hashes);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].block.hash = Hash32{hashes[i]};
  return out;
}

}  // namespace ethnet::mini_sync
