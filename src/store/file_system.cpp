#include "file_system.hpp"

namespace ethnet::store {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<FileError>(code)) {
    case FileError::open:
      return "cannot open";
    case FileError::read:
      return "cannot read";
    case FileError::write:
      return "cannot write";
    case FileError::sync:
      return "cannot sync";
    case FileError::truncate:
      return "cannot truncate";
    case FileError::make_directory:
      return "cannot make the directory";
    case FileError::locked:
      return "in use by another process";
    case FileError::no_descriptors:
      return "no file descriptor is free";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"file", describe};

}  // namespace

const ErrorDomain& error_domain(FileError) { return kDomain; }

}  // namespace ethnet::store
