// What an observer on another thread asks of a node, put to it as one turn: blocks, and, where its
// owner allows that, peers. Limits: who asks bounds the number; an answer holds one header.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <base/bytes.hpp>
#include <base/instant.hpp>
#include <types/hash.hpp>

#include "static_peer.hpp"

namespace ethnet::node {

class Node;

enum class BlockTag : std::uint8_t { latest, earliest };  // earliest: the lowest that is kept
struct BlockQuery {
  std::variant<Hash32, std::uint64_t, BlockTag> which;  // a number, a tag: on the canonical chain
};
// Made a static peer, or no peer any more.
struct PeerQuery {
  StaticPeer peer;
  bool wanted = true;
};
using Query = std::variant<BlockQuery, PeerQuery>;

struct NoSuchBlock {};  // not kept: never seen, refused, or released
struct BlockAnswer {
  Hash32 hash;
  Bytes header;  // canonical RLP
};
struct PeerAnswer {
  bool changed = false;
};
struct NotPossible {
  std::string why;
};
using Answer = std::variant<NoSuchBlock, BlockAnswer, PeerAnswer, NotPossible>;

// One answer each, in their order.
[[nodiscard]] std::vector<Answer> answer(Node& node, Now now, std::span<const Query> queries);

}  // namespace ethnet::node
