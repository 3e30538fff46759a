// A peer that we dial and dial again: an address or a name, and whom we expect there, if we know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <types/endpoint.hpp>
#include <types/hash.hpp>

namespace ethnet::node {

struct StaticPeer {
  std::optional<Endpoint> endpoint;
  std::string host;  // where there is no endpoint
  std::uint16_t port = 0;
  std::optional<NodeId> expected;
};

}  // namespace ethnet::node
