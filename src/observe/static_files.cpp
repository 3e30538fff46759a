#include "static_files.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace ethnet::observe {
namespace {

// What Vite writes; a browser takes no other type for these (nosniff).
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kTypes{{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".json", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
}};

}  // namespace

const StaticFile* find_file(StaticFiles files, std::string_view path) {
  const auto it = std::ranges::find(files, path, &StaticFile::path);
  return it == files.end() ? nullptr : &*it;
}

std::string_view content_type(const StaticFile& file) {
  for (const auto& [suffix, type] : kTypes) {
    if (file.path.ends_with(suffix)) return type;
  }
  return "application/octet-stream";
}

bool is_immutable(const StaticFile& file) { return file.path.starts_with("/assets/"); }

}  // namespace ethnet::observe
