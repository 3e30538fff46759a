// Faces the C library and the sanitizers: raw pointers come in as they declare them.
#include "counting_allocator.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <malloc.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ETHNET_SANITIZER_ALLOCATES
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ETHNET_SANITIZER_ALLOCATES
#endif

namespace ethnet::testing {
namespace {

// No constructor and no destructor: it is there before the first allocation of its thread, and
// after the last.
thread_local constinit AllocationCounts counts{};

void on_allocated(std::size_t bytes) {
  ++counts.allocations;
  counts.live_bytes += static_cast<std::int64_t>(bytes);
  counts.peak_bytes = std::max(counts.peak_bytes, counts.live_bytes);
}
void on_freed(std::size_t bytes) { counts.live_bytes -= static_cast<std::int64_t>(bytes); }

}  // namespace

AllocationCounts thread_allocations() { return counts; }

AllocationMeter::AllocationMeter() : before_{counts} { counts.peak_bytes = counts.live_bytes; }
AllocationMeter::~AllocationMeter() {
  counts.peak_bytes = std::max(counts.peak_bytes, before_.peak_bytes);
}
std::int64_t AllocationMeter::growth() const { return counts.live_bytes - before_.live_bytes; }
std::int64_t AllocationMeter::peak_growth() const { return counts.peak_bytes - before_.live_bytes; }
std::uint64_t AllocationMeter::allocations() const {
  return counts.allocations - before_.allocations;
}

}  // namespace ethnet::testing

#ifdef ETHNET_SANITIZER_ALLOCATES

#include <sanitizer/allocator_interface.h>

namespace {

void count_malloc(const volatile void*, std::size_t size) { ethnet::testing::on_allocated(size); }
void count_free(const volatile void* gone) {
  if (gone == nullptr) return;
  ethnet::testing::on_freed(__sanitizer_get_allocated_size(gone));
}
// What was allocated before this runs is known to nobody, and is freed at the end if at all.
[[maybe_unused]] const int installed =
    __sanitizer_install_malloc_and_free_hooks(count_malloc, count_free);

}  // namespace

#else

// The executable's definitions win over the C library's for every shared library of the process.
extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t n, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* gone);

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
  void* made = __libc_malloc(size);
  if (made != nullptr) ethnet::testing::on_allocated(malloc_usable_size(made));
  return made;
}
__attribute__((visibility("default"))) void free(void* gone) {
  if (gone == nullptr) return;
  ethnet::testing::on_freed(malloc_usable_size(gone));
  __libc_free(gone);
}
__attribute__((visibility("default"))) void* calloc(std::size_t n, std::size_t size) {
  void* made = __libc_calloc(n, size);
  if (made != nullptr) ethnet::testing::on_allocated(malloc_usable_size(made));
  return made;
}
__attribute__((visibility("default"))) void* realloc(void* old, std::size_t size) {
  const std::size_t before = old == nullptr ? 0 : malloc_usable_size(old);
  void* made = __libc_realloc(old, size);
  if (made != nullptr) {
    ethnet::testing::on_freed(before);
    ethnet::testing::on_allocated(malloc_usable_size(made));
  } else if (size == 0) {
    ethnet::testing::on_freed(before);
  }
  return made;
}
__attribute__((visibility("default"))) void* memalign(std::size_t alignment, std::size_t size) {
  void* made = __libc_memalign(alignment, size);
  if (made != nullptr) ethnet::testing::on_allocated(malloc_usable_size(made));
  return made;
}
__attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment,
                                                           std::size_t size) {
  return memalign(alignment, size);
}
__attribute__((visibility("default"))) int posix_memalign(void** out, std::size_t alignment,
                                                          std::size_t size) {
  void* made = memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *out = made;
  return 0;
}

}  // extern "C"

#endif
