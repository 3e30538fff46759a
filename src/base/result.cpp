#include <fmt/format.h>

#include <base/result.hpp>

namespace ethnet {

std::string Error::message() const {
  return fmt::format("{}: {} at byte {}", domain(), what(), offset_);
}

}  // namespace ethnet
