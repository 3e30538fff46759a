#include "virtual_os.hpp"

#include <utility>

namespace ethnet::sim {
namespace {

// The one thread-local of the code base: the interposed C functions have no other way to find the
// world of their thread.
constinit thread_local VirtualOs* current_os = nullptr;

}  // namespace

VirtualOs* VirtualOs::current() noexcept { return current_os; }

VirtualOsScope::VirtualOsScope(VirtualOs& os) noexcept
    : previous_{std::exchange(current_os, &os)} {}

VirtualOsScope::~VirtualOsScope() { current_os = previous_; }

}  // namespace ethnet::sim
