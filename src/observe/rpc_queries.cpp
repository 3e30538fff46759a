#include "rpc_queries.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include <base/check.hpp>
#include <base/hex.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "block_json.hpp"

namespace ethnet::observe {
namespace {

using Json = nlohmann::json;
using node::Query;

enum class Kind : std::uint8_t { head, by_number, by_hash, add_peer, remove_peer };
enum class Told : std::uint8_t { number, header, block };
struct Method {
  std::string_view name;
  Kind kind;
  std::size_t most_params;
  Told told = Told::header;  // of a block
};
constexpr std::array kMethods{
    Method{"eth_blockNumber", Kind::head, 0, Told::number},
    Method{"eth_getBlockByNumber", Kind::by_number, 2, Told::block},
    Method{"eth_getBlockByHash", Kind::by_hash, 2, Told::block},
    Method{"eth_getHeaderByNumber", Kind::by_number, 1},
    Method{"eth_getHeaderByHash", Kind::by_hash, 1},
    Method{"admin_addPeer", Kind::add_peer, 1},
    Method{"admin_removePeer", Kind::remove_peer, 1},
};
const Method* find(std::string_view name) {
  const auto* const it = std::ranges::find(kMethods, name, &Method::name);
  return it == kMethods.end() ? nullptr : it;
}

// "0x1f": no leading zeros, 64 bits at most.
std::optional<std::uint64_t> parse_quantity(const std::string& text) {
  if (!text.starts_with("0x") || text.size() < 3 || (text[2] == '0' && text.size() > 3)) return {};
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + 2, end, value, 16);
  if (error != std::errc{} || at != end || text[2] == '-') return {};
  return value;
}

RpcOutcome<Query> block_by_number(const std::string& text) {
  if (text == "latest") return node::BlockQuery{node::BlockTag::latest};
  if (text == "earliest") return node::BlockQuery{node::BlockTag::earliest};
  if (text == "pending" || text == "safe" || text == "finalized") {
    return rpc_failed(RpcCode::unavailable, fmt::format("{} block not found", text));
  }
  const auto number = parse_quantity(text);
  if (!number) {
    return rpc_failed(RpcCode::invalid_params,
                      "a block is \"latest\", \"earliest\" or a number as \"0x1f\"");
  }
  return node::BlockQuery{*number};
}

RpcOutcome<Query> block_by_hash(const std::string& text) {
  Hash32 hash;
  if (!text.starts_with("0x") || !from_hex_into(text, hash.bytes)) {
    return rpc_failed(RpcCode::invalid_params, "a block hash is 0x and 64 hexadecimal digits");
  }
  return node::BlockQuery{hash};
}

RpcOutcome<Query> change_of_peer(const std::string& text, bool wanted, const ParsePeer& parse) {
  if (!parse) {
    return rpc_failed(RpcCode::method_not_found,
                      "this method is off: --http.api admin switches it on, and "
                      "`ethnet peer` does the same for the node's owner");
  }
  try {
    return node::PeerQuery{parse(text), wanted};
  } catch (const std::runtime_error& error) {
    return rpc_failed(RpcCode::invalid_params, error.what());
  }
}

}  // namespace

bool asks_node(std::string_view method) { return find(method) != nullptr; }

RpcOutcome<Query> query_of(std::string_view name, const Json& params, const ParsePeer& parse_peer) {
  const Method* const method = find(name);
  CHECK(method != nullptr);
  if (method->kind == Kind::head) {
    if (params.empty()) return node::BlockQuery{node::BlockTag::latest};
    return rpc_failed(RpcCode::invalid_params, "this method takes no params");
  }
  const bool fits = params.is_array() && !params.empty() && params.size() <= method->most_params &&
                    params[0].is_string() && (params.size() == 1 || params[1].is_boolean());
  if (!fits) {
    return rpc_failed(RpcCode::invalid_params,
                      method->most_params == 2 ? "params: [block, boolean]" : "params: [text]");
  }
  const auto text = params[0].get<std::string>();
  switch (method->kind) {
    case Kind::head:
      break;
    case Kind::by_number:
      return block_by_number(text);
    case Kind::by_hash:
      return block_by_hash(text);
    case Kind::add_peer:
    case Kind::remove_peer:
      return change_of_peer(text, method->kind == Kind::add_peer, parse_peer);
  }
  return rpc_failed(RpcCode::method_not_found, "");
}

RpcOutcome<std::string> answer_text(std::string_view name, const node::Answer& answer) {
  const Method* const method = find(name);
  CHECK(method != nullptr);
  if (const auto* impossible = std::get_if<node::NotPossible>(&answer)) {
    return rpc_failed(RpcCode::unavailable, impossible->why);
  }
  if (const auto* peer = std::get_if<node::PeerAnswer>(&answer)) {
    return peer->changed ? "true" : "false";
  }
  const auto* const block = std::get_if<node::BlockAnswer>(&answer);
  if (block == nullptr) return "null";
  switch (method->told) {
    case Told::number:
      return number_json(*block);
    case Told::header:
      return header_json(*block);
    case Told::block:
      return block_json(*block);
  }
  return "null";
}

}  // namespace ethnet::observe
