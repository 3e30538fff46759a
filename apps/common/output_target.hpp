// Where a path that a person gave is written: what its links lead to, so that they stay links.
// Whoever follows them by himself passes by what the kernel does for others in folders like /tmp
// (fs.protected_symlinks, fs.protected_regular), so it is done here: in a sticky folder that others
// may write, what is there must be ours or the folder's owner's. Else a stranger chooses what root
// makes, or gets it as his own.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include <sys/stat.h>

namespace ethnet::app {

struct OutputTarget {
  std::string path;                   // no link
  std::optional<struct stat> before;  // what is there
};

// The error is an errno: ELOOP in a circle, EACCES for what a stranger put there.
[[nodiscard]] std::expected<OutputTarget, int> output_target(const std::string& path);

}  // namespace ethnet::app
