// Files that the programs read and make. Every error is a std::runtime_error with one clear line.
#pragma once

#include <string>

#include <base/bytes.hpp>
#include <types/genesis.hpp>

namespace ethnet::app {

[[nodiscard]] std::string read_text_file(const std::string& path);
[[nodiscard]] Bytes read_binary_file(const std::string& path);

// An empty path: the built-in development chain.
[[nodiscard]] Genesis load_genesis(const std::string& path);

}  // namespace ethnet::app
