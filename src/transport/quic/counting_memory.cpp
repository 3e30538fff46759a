#include "counting_memory.hpp"

#include <cstdlib>

#include <malloc.h>
#include <ngtcp2/ngtcp2.h>

namespace ethnet::quic {

struct CountingMemory::Functions {
  static std::size_t& count(void* user) { return static_cast<CountingMemory*>(user)->bytes_; }

  static void* allocate(std::size_t size, void* user) {
    void* made = std::malloc(size);
    count(user) += malloc_usable_size(made);
    return made;
  }
  static void release(void* gone, void* user) {
    count(user) -= malloc_usable_size(gone);
    std::free(gone);
  }
  static void* allocate_zeroed(std::size_t n, std::size_t size, void* user) {
    void* made = std::calloc(n, size);
    count(user) += malloc_usable_size(made);
    return made;
  }
  static void* reallocate(void* old, std::size_t size, void* user) {
    const std::size_t before = malloc_usable_size(old);
    void* made = std::realloc(old, size);
    if (made != nullptr) count(user) += malloc_usable_size(made) - before;
    return made;
  }
};

CountingMemory::CountingMemory()
    : functions_{std::make_unique<ngtcp2_mem>(ngtcp2_mem{.user_data = this,
                                                         .malloc = Functions::allocate,
                                                         .free = Functions::release,
                                                         .calloc = Functions::allocate_zeroed,
                                                         .realloc = Functions::reallocate})} {}

CountingMemory::~CountingMemory() = default;

}  // namespace ethnet::quic
