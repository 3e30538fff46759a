#include "message.hpp"

#include <base/check.hpp>

#include "../trace.hpp"

namespace ethnet::sim::toy {
namespace {

std::uint64_t checksum(ByteView bytes) {
  TraceHash hash;
  hash.add_bytes(bytes);
  return hash.value();
}

}  // namespace

Bytes encode_message(const std::vector<std::uint64_t>& words) {
  CHECK(words.size() <= kMaxWords);
  Bytes out;
  for (const std::uint64_t word : words) append_be(out, word);
  append_be(out, checksum(out));
  return out;
}

std::optional<std::vector<std::uint64_t>> decode_message(ByteView bytes) {
  if (bytes.size() < 8 || bytes.size() % 8 != 0 || bytes.size() > (kMaxWords + 1) * 8) {
    return std::nullopt;
  }
  const ByteView body = bytes.first(bytes.size() - 8);
  if (load_be<std::uint64_t>(bytes.last(8)) != checksum(body)) return std::nullopt;
  std::vector<std::uint64_t> words;
  for (std::size_t i = 0; i < body.size(); i += 8) {
    words.push_back(load_be<std::uint64_t>(body.subspan(i, 8)));
  }
  return words;
}

}  // namespace ethnet::sim::toy
