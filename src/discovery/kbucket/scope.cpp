#include "scope.hpp"

#include <algorithm>
#include <array>

namespace ethnet::kbucket {
namespace {

struct Block {
  ByteArray<16> prefix;
  unsigned bits;
};

constexpr Block v4_block(unsigned a, unsigned b, unsigned c, unsigned bits) {
  return {{static_cast<std::byte>(a), static_cast<std::byte>(b), static_cast<std::byte>(c)}, bits};
}
constexpr Block v6_block(unsigned first, unsigned second, unsigned bits) {
  return {{static_cast<std::byte>(first >> 8), static_cast<std::byte>(first & 0xff),
           static_cast<std::byte>(second >> 8), static_cast<std::byte>(second & 0xff)},
          bits};
}

// From the IANA special-purpose registries (RFC 6890 and its successors) what is neither loopback
// nor LAN and not a host of its own that strangers can reach.
constexpr std::array kSpecialV4{
    v4_block(0, 0, 0, 8),       v4_block(100, 64, 0, 10),  v4_block(192, 0, 0, 24),
    v4_block(192, 0, 2, 24),    v4_block(192, 88, 99, 24), v4_block(198, 18, 0, 15),
    v4_block(198, 51, 100, 24), v4_block(203, 0, 113, 24), v4_block(224, 0, 0, 4),
    v4_block(240, 0, 0, 4),
};
// 6to4, Teredo and NAT64 embed an IPv4 address: one host under many prefixes.
constexpr std::array kSpecialV6{
    v6_block(0x0000, 0, 8),  v6_block(0x0064, 0xff9b, 32), v6_block(0x0100, 0, 8),
    v6_block(0x2001, 0, 23), v6_block(0x2001, 0xdb8, 32),  v6_block(0x2002, 0, 16),
    v6_block(0x3fff, 0, 20), v6_block(0x5f00, 0, 16),      v6_block(0xfec0, 0, 10),
    v6_block(0xff00, 0, 8),
};

bool is_within(ByteView ip, const Block& block) {
  unsigned left = block.bits;
  for (std::size_t i = 0; left > 0; ++i) {
    const unsigned bits = std::min(left, 8U);
    const auto mask = static_cast<std::byte>(0xff00U >> bits);
    if ((ip[i] & mask) != (block.prefix[i] & mask)) return false;
    left -= bits;
  }
  return true;
}

}  // namespace

std::string_view describe(Scope scope) {
  switch (scope) {
    case Scope::special:
      return "special";
    case Scope::loopback:
      return "loopback";
    case Scope::lan:
      return "LAN";
    case Scope::wan:
      return "WAN";
  }
  return "unknown";
}

Scope scope_of(const IpAddress& ip) {
  if (ip.is_loopback()) return Scope::loopback;
  if (ip.is_lan()) return Scope::lan;
  const auto covers = [&](const Block& block) { return is_within(ip.bytes(), block); };
  const bool special = ip.is_v4() ? std::ranges::any_of(kSpecialV4, covers)
                                  : std::ranges::any_of(kSpecialV6, covers);
  return special ? Scope::special : Scope::wan;
}

bool may_relay(Scope between, Scope told) {
  return told != Scope::special && between != Scope::special && told >= between;
}

}  // namespace ethnet::kbucket
