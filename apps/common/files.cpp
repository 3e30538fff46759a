#include "files.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <chain/producer.hpp>
#include <fmt/format.h>

namespace ethnet::app {

std::string read_text_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw std::runtime_error(fmt::format("cannot read {}: it is a directory", path));
  }
  std::ifstream file{path, std::ios::binary};
  if (!file)
    throw std::runtime_error(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::string text{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
  if (file.bad()) throw std::runtime_error(fmt::format("cannot read {}", path));
  return text;
}

Bytes read_binary_file(const std::string& path) {
  return to_bytes(text_bytes(read_text_file(path)));
}

Genesis load_genesis(const std::string& path) {
  if (path.empty()) return chain::dev_genesis();
  auto genesis = read_genesis(read_text_file(path));
  if (!genesis) {
    throw std::runtime_error(fmt::format("{}: {}", path, genesis.error().message()));
  }
  return std::move(*genesis);
}

}  // namespace ethnet::app
