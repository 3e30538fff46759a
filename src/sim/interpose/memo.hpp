// What the memos of libsecp256k1's answers share (curve_memo.cpp, key_memo.cpp): the library's own
// functions, and maps that begin anew at their limit. Faces the C library: raw pointers come in as
// it declares them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include <base/bytes.hpp>
#include <base/check.hpp>
#include <dlfcn.h>
#include <secp256k1.h>

namespace ethnet::sim::interpose {

inline constexpr std::size_t kMaxRemembered = 64 * 1'024;  // answers of each kind, of one thread

#pragma clang unsafe_buffer_usage begin
inline ByteView view_of(const void* data, std::size_t size) {
  return {static_cast<const std::byte*>(data), size};
}
#pragma clang unsafe_buffer_usage end

// The library's own, which comes after the executable's in the order of look-up.
template <class Function>
Function* library(const char* name) {
  auto* const found = ::dlsym(RTLD_NEXT, name);
  CHECK(found != nullptr);
  return __builtin_bit_cast(Function*, found);
}

// Questions are keys, signatures and digests, as good as random, but for a key that is in very many
// of them: 8 bytes of each 32 together are a hash.
template <std::size_t kSize>
struct QuestionHash {
  std::size_t operator()(const ByteArray<kSize>& question) const {
    std::uint64_t out = 0;
    for (std::size_t at = 8; at + 8 <= kSize; at += 32) {
      out ^= load_be<std::uint64_t>(ByteView{question}.subspan(at, 8));
    }
    return out;
  }
};
template <std::size_t kSize, class Answer>
using Memo = std::unordered_map<ByteArray<kSize>, Answer, QuestionHash<kSize>>;

template <std::size_t kSize, class Answer, class Ask>
Answer remembered(Memo<kSize, Answer>& memo, const ByteArray<kSize>& question, Ask&& ask) {
  if (const auto it = memo.find(question); it != memo.end()) return it->second;
  if (memo.size() >= kMaxRemembered) memo.clear();
  return memo.emplace(question, ask()).first->second;
}

// Of a valid secret; key_memo.cpp.
secp256k1_pubkey public_key_of(const unsigned char* secret);

}  // namespace ethnet::sim::interpose
