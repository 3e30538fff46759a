// A SessionManager between a transport and a crowd of peers that do as a string of bytes says:
// connections that come and go, frames and bytes on streams in any order, jobs that take long,
// time, sends, closes. After every operation its promises are asserted (check() in the .cpp).
//
// Signatures are not made: a proof holds when the bytes say so. So a run is short, and gets far.
// For fuzzing, and for long random runs; single-threaded.
#pragma once

#include <cstdint>

#include <base/bytes.hpp>

namespace ethnet::fuzz {

struct SessionRun {
  std::uint64_t operations = 0;
  std::uint64_t opened = 0;
  std::uint64_t closed = 0;
  std::uint64_t refused = 0;
  std::uint64_t dials_failed = 0;
  std::uint64_t messages = 0;
  std::uint64_t shed = 0;  // ended for want of memory
};

// Runs all of it, then ends everything and asserts that nothing is left.
SessionRun run_sessions(ByteView operations);

}  // namespace ethnet::fuzz
