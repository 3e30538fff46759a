// What a protocol found wrong with a peer, in the words in which peers are judged
// (peers/score.hpp).
#pragma once

#include <peers/score.hpp>
#include <protocol/das_lite/events.hpp>
#include <protocol/discv_lite/engine.hpp>
#include <protocol/mini_sync/engine.hpp>
#include <session/disconnect.hpp>

namespace ethnet::node {

[[nodiscard]] peers::Behaviour behaviour_of(mini_sync::Misbehaviour what);
[[nodiscard]] peers::Behaviour behaviour_of(das_lite::Misbehaviour what);
[[nodiscard]] peers::Behaviour behaviour_of(discv_lite::Misbehaviour what);
// What a peer is told that loses its session for it.
[[nodiscard]] session::DisconnectReason reason_for(peers::Behaviour what);

}  // namespace ethnet::node
