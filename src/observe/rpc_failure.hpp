// Why a call of JSON-RPC is not answered, as its error says it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace ethnet::observe {

// The first five are the specification's, the rest go-ethereum's.
enum class RpcCode : std::int32_t {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  unavailable = -32000,
  answer_too_large = -32003,
  limit_exceeded = -32005,
};
struct RpcFailure {
  RpcCode code;
  std::string message;
};
template <class T>
using RpcOutcome = std::expected<T, RpcFailure>;

inline std::unexpected<RpcFailure> rpc_failed(RpcCode code, std::string message) {
  return std::unexpected{RpcFailure{code, std::move(message)}};
}

}  // namespace ethnet::observe
