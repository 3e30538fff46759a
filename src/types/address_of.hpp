// The address of a node key: the last 20 bytes of its node id (Yellow Paper, appendix F).
#pragma once

#include <crypto/secp256k1.hpp>

#include "address.hpp"

namespace ethnet {

[[nodiscard]] inline Address address_of(const crypto::PublicKey& key) {
  const auto id = crypto::node_id_of(key);
  Address address;
  copy_into(address.bytes, ByteView{id}.last(address.bytes.size()));
  return address;
}

}  // namespace ethnet
