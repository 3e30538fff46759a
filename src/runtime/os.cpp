#include "os.hpp"

#include <cerrno>
#include <ctime>

#include <base/check.hpp>
#include <crypto/wipe.hpp>
#include <sys/random.h>

namespace ethnet::runtime {
namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec t{};
  CHECK(::clock_gettime(clock, &t) == 0);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

constexpr std::size_t kFromKernel = 32;  // bytes; a key

void ask_kernel(MutByteView out) {
  while (!out.empty()) {
    const auto n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;  // older kernels, above 256 bytes
    CHECK(n > 0);
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace

Now os_now() { return {{read_clock(CLOCK_BOOTTIME)}, {read_clock(CLOCK_REALTIME)}}; }

OsEntropy::~OsEntropy() { crypto::wipe(stock_); }

void OsEntropy::fill(MutByteView out) noexcept {
  if (out.size() >= kFromKernel) {
    ask_kernel(out);
    return;
  }
  if (out.size() > stock_.size() - used_) {
    ask_kernel(stock_);
    used_ = 0;
  }
  const MutByteView given = MutByteView{stock_}.subspan(used_, out.size());
  copy_into(out, given);
  crypto::wipe(given);
  used_ += out.size();
}

}  // namespace ethnet::runtime
