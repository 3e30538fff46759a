#include "os.hpp"

#include <ctime>

#include <base/check.hpp>
#include <sys/random.h>

namespace ethnet::runtime {
namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec t{};
  CHECK(::clock_gettime(clock, &t) == 0);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

Now os_now() { return {{read_clock(CLOCK_BOOTTIME)}, {read_clock(CLOCK_REALTIME)}}; }

void OsEntropy::fill(MutByteView out) noexcept {
  while (!out.empty()) {
    const auto n = ::getrandom(out.data(), out.size(), 0);
    CHECK(n > 0);
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace ethnet::runtime
