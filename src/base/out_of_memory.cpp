#include "out_of_memory.hpp"

#include <cstdlib>
#include <new>

#include "check.hpp"

namespace ethnet {
namespace {

// Must not allocate: check_failed() formats into the buffer that standard error has from the start.
[[noreturn]] void give_up() { check_failed("out of memory", std::source_location::current()); }

}  // namespace

void make_out_of_memory_fatal() noexcept { std::set_new_handler(give_up); }

}  // namespace ethnet
