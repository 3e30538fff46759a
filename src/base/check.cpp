#include "check.hpp"

#include <cstdio>
#include <cstdlib>

namespace ethnet {

void check_failed(std::string_view condition, std::source_location where) noexcept {
  std::fprintf(stderr, "CHECK failed: %.*s at %s:%u\n", static_cast<int>(condition.size()),
               condition.data(), where.file_name(), where.line());
  std::abort();
}

}  // namespace ethnet
