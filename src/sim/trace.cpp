#include "trace.hpp"

#include <bit>

#include <fmt/format.h>

namespace ethnet::sim {

void TraceHash::add(std::uint64_t word) {
  state_ = std::rotl(state_ ^ word, 29) * 0x9fb21c651e98df25ULL + 0x9e3779b97f4a7c15ULL;
}

void TraceHash::add_bytes(ByteView bytes) {
  add(bytes.size());
  while (bytes.size() >= 8) {
    add(load_be<std::uint64_t>(bytes.first(8)));
    bytes = bytes.subspan(8);
  }
  std::uint64_t rest = 0;
  for (const std::byte b : bytes) rest = (rest << 8) | std::to_integer<std::uint64_t>(b);
  if (!bytes.empty()) add(rest);
}

std::uint64_t TraceHash::value() const {
  std::uint64_t z = state_;
  z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93ULL;
  z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93ULL;
  return z ^ (z >> 32);
}

void Trace::record(Instant at, std::string_view what, std::uint64_t subject,
                   std::string_view detail) {
  ++records_;
  hash_.add(static_cast<std::uint64_t>(at.ns));
  hash_.add_bytes(text_bytes(what));
  hash_.add(subject);
  hash_.add_bytes(text_bytes(detail));
  if (writer_) writer_(fmt::format("{} [{}] {}: {}", time_text(at), subject, what, detail));
}

void Trace::record_datagram(Instant at, std::string_view what, std::uint64_t from, std::uint64_t to,
                            ByteView bytes) {
  ++records_;
  hash_.add(static_cast<std::uint64_t>(at.ns));
  hash_.add_bytes(text_bytes(what));
  hash_.add(from);
  hash_.add(to);
  hash_.add_bytes(bytes);
  if (!writer_) return;
  TraceHash content;
  content.add_bytes(bytes);
  writer_(fmt::format("{} [{}] {} -> {}: {} bytes, content {}", time_text(at), from, what, to,
                      bytes.size(), hash_text(content.value())));
}

void Trace::comment(Instant at, std::uint64_t subject, std::string_view text) const {
  if (writer_) writer_(fmt::format("{} [{}] # {}", time_text(at), subject, text));
}

std::string hash_text(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

std::string time_text(Instant at) {
  return fmt::format("{}.{:09}s", at.ns / 1'000'000'000, at.ns % 1'000'000'000);
}

}  // namespace ethnet::sim
