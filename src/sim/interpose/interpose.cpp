// getrandom, getentropy, clock_gettime and time for binaries that run worlds (see virtual_os.hpp):
// virtual on a thread with a VirtualOs, the kernel's on every other. The executable's definitions
// win over the C library's for every shared library of the process.
//
// Faces the C library: raw pointers come in as C declares them.
#include <cerrno>

#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../virtual_os.hpp"

namespace {

#pragma clang unsafe_buffer_usage begin
ethnet::MutByteView view_of(void* data, std::size_t size) {
  return {static_cast<std::byte*>(data), size};
}
#pragma clang unsafe_buffer_usage end

timespec timespec_of(std::int64_t ns) {
  timespec out{};
  out.tv_sec = ns / 1'000'000'000;
  out.tv_nsec = ns % 1'000'000'000;
  return out;
}

[[nodiscard]] bool is_wall(clockid_t id) {
  return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_TAI;
}
// The clocks of CPU time stay real: nothing but a profiler reads them.
[[nodiscard]] bool is_monotonic(clockid_t id) {
  return id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_RAW || id == CLOCK_MONOTONIC_COARSE ||
         id == CLOCK_BOOTTIME;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) ssize_t getrandom(void* buffer, size_t length,
                                                         unsigned int flags) {
  if (auto* os = ethnet::sim::VirtualOs::current()) {
    os->fill_random(view_of(buffer, length));
    return static_cast<ssize_t>(length);
  }
  return syscall(SYS_getrandom, buffer, length, flags);
}

__attribute__((visibility("default"))) int getentropy(void* buffer, size_t length) {
  if (length > 256) {
    errno = EIO;
    return -1;
  }
  return getrandom(buffer, length, 0) == static_cast<ssize_t>(length) ? 0 : -1;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, timespec* out) noexcept {
  const auto* os = ethnet::sim::VirtualOs::current();
  if (os != nullptr && is_wall(id)) {
    *out = timespec_of(os->clock().wall.ns);
    return 0;
  }
  if (os != nullptr && is_monotonic(id)) {
    *out = timespec_of(os->clock().mono.ns);
    return 0;
  }
  return static_cast<int>(syscall(SYS_clock_gettime, id, out));
}

__attribute__((visibility("default"))) time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
