// Files that the programs read and make. Every error is a std::runtime_error with one clear line.
#pragma once

#include <memory>
#include <string>

#include <base/bytes.hpp>
#include <crypto/secp256k1.hpp>
#include <types/genesis.hpp>

namespace ethnet::app {

[[nodiscard]] std::string read_text_file(const std::string& path);
[[nodiscard]] Bytes read_binary_file(const std::string& path);

// 64 hex characters, a newline at the end or none.
[[nodiscard]] std::shared_ptr<const crypto::SecretKey> read_key(const std::string& path);
// Makes a key and writes it with mode 0600; never over an existing file.
std::shared_ptr<const crypto::SecretKey> make_key(const std::string& path);

// An empty path: the built-in development chain.
[[nodiscard]] Genesis load_genesis(const std::string& path);

}  // namespace ethnet::app
