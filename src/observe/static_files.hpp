// Files that are in the program, by the path that they are served under. Immutable, for the life of
// the process.
#pragma once

#include <span>
#include <string_view>

namespace ethnet::observe {

struct StaticFile {
  std::string_view path;  // "/assets/index-1f2e3d.js"
  std::string_view bytes;
};
using StaticFiles = std::span<const StaticFile>;

// Null: there is none.
[[nodiscard]] const StaticFile* find_file(StaticFiles files, std::string_view path);
// By its suffix: "text/javascript; charset=utf-8".
[[nodiscard]] std::string_view content_type(const StaticFile& file);
// Its name changes when it does, so that it may be kept for ever.
[[nodiscard]] bool is_immutable(const StaticFile& file);

}  // namespace ethnet::observe
