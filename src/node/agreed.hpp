// The protocols that a node routes, by their names, and which of them a session has agreed on.
#pragma once

#include <algorithm>
#include <string_view>

#include <session/session.hpp>

namespace ethnet::node {

inline constexpr std::string_view kMiniSync = "mini-sync";
inline constexpr std::string_view kDasLite = "das-lite";
inline constexpr std::string_view kDiscvLite = "discv-lite";

// The version of this protocol that the session agreed on; null when it did not.
[[nodiscard]] inline const session::Capability* agreed(const session::PeerInfo& peer,
                                                       std::string_view name) {
  const auto it = std::ranges::find(peer.agreed, name, &session::Capability::name);
  return it == peer.agreed.end() ? nullptr : &*it;
}

}  // namespace ethnet::node
