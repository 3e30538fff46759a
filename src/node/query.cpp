#include "query.hpp"

#include <optional>

#include "node.hpp"

namespace ethnet::node {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

std::optional<Hash32> hash_of(const chain::ChainView& chain, const BlockQuery& query) {
  return std::visit(Overloaded{[](const Hash32& hash) -> std::optional<Hash32> { return hash; },
                               [&](std::uint64_t number) { return chain.canonical_hash(number); },
                               [&](BlockTag tag) -> std::optional<Hash32> {
                                 return tag == BlockTag::latest ? chain.head().hash
                                                                : chain.earliest().hash;
                               }},
                    query.which);
}

Answer answer_one(const Node& node, const BlockQuery& query) {
  const chain::ChainView& chain = node.chain();
  const auto hash = hash_of(chain, query);
  if (!hash) return NoSuchBlock{};
  const ByteView header = chain.encoded(*hash);
  if (header.empty()) return NoSuchBlock{};
  return BlockAnswer{*hash, to_bytes(header)};
}

Answer answer_one(Node& node, Now now, const PeerQuery& query) {
  if (!query.wanted) return PeerAnswer{node.remove_peer(now, query.peer)};
  const auto added = node.add_peer(now, query.peer);
  if (!added) return NotPossible{std::string{added.error().what()}};
  return PeerAnswer{*added};
}

}  // namespace

std::vector<Answer> answer(Node& node, Now now, std::span<const Query> queries) {
  std::vector<Answer> out;
  out.reserve(queries.size());
  for (const Query& query : queries) {
    out.push_back(
        std::visit(Overloaded{[&](const BlockQuery& one) { return answer_one(node, one); },
                              [&](const PeerQuery& one) { return answer_one(node, now, one); }},
                   query));
  }
  return out;
}

}  // namespace ethnet::node
