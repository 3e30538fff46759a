#include "output_target.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <unistd.h>

namespace ethnet::app {
namespace {

namespace fs = std::filesystem;

// Nobody but its owner, the folder's and root can put another thing in the place of what is in a
// sticky folder, so that what is found holds for what follows.
bool is_a_strangers(const fs::path& path, const struct stat& is) {
  const fs::path parent = path.parent_path();
  struct stat folder{};
  if (::stat(parent.empty() ? "." : parent.c_str(), &folder) != 0) return false;
  const bool is_shared =
      (folder.st_mode & S_ISVTX) != 0 && (folder.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  return is_shared && is.st_uid != ::geteuid() && is.st_uid != folder.st_uid;
}

}  // namespace

std::expected<OutputTarget, int> output_target(const std::string& path) {
  constexpr unsigned kMostLinks = 40;  // as Linux
  fs::path at = path;
  for (unsigned nth = 0; nth < kMostLinks; ++nth) {
    struct stat is{};
    // What cannot be reached is told by who opens it.
    if (::lstat(at.c_str(), &is) != 0) return OutputTarget{.path = at.string(), .before = {}};
    if (is_a_strangers(at, is)) return std::unexpected{EACCES};
    if (!S_ISLNK(is.st_mode)) return OutputTarget{.path = at.string(), .before = is};
    std::error_code error;
    const fs::path next = fs::read_symlink(at, error);
    if (error) return std::unexpected{error.value()};
    at = at.parent_path() / next;  // an absolute one stands for itself
  }
  return std::unexpected{ELOOP};
}

}  // namespace ethnet::app
