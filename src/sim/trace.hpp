// Trace: what happened in a world, as one 64-bit hash and, when somebody listens, as lines of text.
// The hash covers every datagram sent, dropped and delivered (bytes included), every event and log
// record up to info, and every fault, each with its virtual time: two runs that differ anywhere
// differ in it. It is the same on every compiler and machine. Not cryptographic.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <base/bytes.hpp>
#include <base/instant.hpp>
#include <base/log.hpp>

namespace ethnet::sim {

class TraceHash {
 public:
  void add(std::uint64_t word);
  void add_bytes(ByteView bytes);  // the length is part of it
  [[nodiscard]] std::uint64_t value() const;

 private:
  std::uint64_t state_ = 0x243f6a8885a308d3ULL;
};

// Gets one line, without a newline, for each record of the trace.
using TraceWriter = std::function<void(std::string_view line)>;

class Trace {
 public:
  void set_writer(TraceWriter writer) { writer_ = std::move(writer); }
  [[nodiscard]] bool verbose() const { return static_cast<bool>(writer_); }

  // `what` names the kind of record; detail is added to the hash too.
  void record(Instant at, std::string_view what, std::uint64_t subject, std::string_view detail);
  void record_datagram(Instant at, std::string_view what, std::uint64_t from, std::uint64_t to,
                       ByteView bytes);
  // Only for people: not part of the hash.
  void comment(Instant at, std::uint64_t subject, std::string_view text) const;

  [[nodiscard]] std::uint64_t hash() const { return hash_.value(); }
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  TraceHash hash_;
  std::uint64_t records_ = 0;
  TraceWriter writer_;
};

// 16 lower-case hexadecimal digits.
[[nodiscard]] std::string hash_text(std::uint64_t hash);
// "12.345678901s"
[[nodiscard]] std::string time_text(Instant at);

}  // namespace ethnet::sim
