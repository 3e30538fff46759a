#include "signatures.hpp"

#include <algorithm>
#include <memory>

#include <crypto/secp256k1.hpp>
#include <types/address_of.hpp>

namespace ethnet::mini_sync {
namespace {

struct Claim {
  Hash32 hash;
  Address beneficiary;
  Bytes signature;
};

bool is_right(const Claim& claim) {
  const auto key = crypto::recover(claim.signature, claim.hash.bytes);
  return key && address_of(*key) == claim.beneficiary;
}

constexpr std::byte kRight{1};
constexpr std::byte kWrong{0};

}  // namespace

bool any_signed(const std::vector<CheckedHeader>& headers) {
  return std::ranges::any_of(headers,
                             [](const CheckedHeader& h) { return !h.item.signature.empty(); });
}

std::function<Bytes()> judge_work(const std::vector<CheckedHeader>& headers) {
  std::vector<Claim> claims;
  for (const CheckedHeader& header : headers) {
    if (header.item.signature.empty()) continue;
    claims.push_back({header.block.hash, header.beneficiary, header.item.signature});
  }
  return [shared = std::make_shared<const std::vector<Claim>>(std::move(claims))] {
    return Bytes{std::ranges::all_of(*shared, is_right) ? kRight : kWrong};
  };
}

bool all_right(ByteView output) { return output.size() == 1 && output.front() == kRight; }

}  // namespace ethnet::mini_sync
