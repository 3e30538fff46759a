#include "result.hpp"

#include <fmt/format.h>

namespace ethnet {

std::string Error::message() const {
  return fmt::format("{}: {} at byte {}", domain(), what(), offset_);
}

}  // namespace ethnet
