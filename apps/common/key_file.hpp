// The file that holds a node key: 64 hex characters, mode 0600. Every error is a std::runtime_error
// with one clear line.
#pragma once

#include <memory>
#include <string>

#include <crypto/secp256k1.hpp>

namespace ethnet::app {

// A newline at the end or none. Refused: other content, and a file that others may read.
[[nodiscard]] std::shared_ptr<const crypto::SecretKey> read_key(const std::string& path);
// Makes a key and its file; never over an existing one. The file is there whole or not at all, also
// after a crash at any moment; such a crash may leave a `<path>.<random>.new` behind, which nobody
// reads.
std::shared_ptr<const crypto::SecretKey> make_key(const std::string& path);

}  // namespace ethnet::app
