// Writes the seeds of every target into DIR/TARGET/NAME. The corpus of the repository is made so.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "targets.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::span arguments{argv, static_cast<std::size_t>(argc)};
  for (const auto& seed : ethnet::fuzz::seeds()) {
    const auto folder = std::filesystem::path{arguments[1]} / seed.target;
    std::filesystem::create_directories(folder);
    std::ofstream file{folder / seed.name, std::ios::binary};
    for (const std::byte b : seed.bytes) file.put(static_cast<char>(b));
  }
  return 0;
}
