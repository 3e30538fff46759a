#include "descriptor_list.hpp"

#include <optional>

#include <base/check.hpp>
#include <sys/stat.h>

namespace ethnet::observe {
namespace {

std::optional<std::uint64_t> inode_of(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return std::nullopt;
  return status.st_ino;
}

}  // namespace

bool DescriptorList::has_room(std::size_t most) {
  std::erase_if(entries_,
                [](const Entry& entry) { return inode_of(entry.descriptor) != entry.inode; });
  return entries_.size() < most;
}

void DescriptorList::add(int descriptor) {
  const auto inode = inode_of(descriptor);
  CHECK(inode.has_value());
  entries_.push_back({descriptor, *inode});
}

}  // namespace ethnet::observe
