// A header as it comes to the chain: canonical RLP and, where its producer signed, 65 bytes
// r‖s‖v over the header hash (else empty).
#pragma once

#include <base/bytes.hpp>

namespace ethnet::chain {

struct HeaderInput {
  Bytes header;
  Bytes signature;
  friend bool operator==(const HeaderInput&, const HeaderInput&) = default;
};

}  // namespace ethnet::chain
