#include "files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <base/hex.hpp>
#include <chain/producer.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <runtime/os.hpp>
#include <unistd.h>

namespace ethnet::app {

std::string read_text_file(const std::string& path) {
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

std::shared_ptr<const crypto::SecretKey> read_key(const std::string& path) {
  std::string text = read_text_file(path);
  if (text.ends_with('\n')) text.pop_back();
  ByteArray<32> raw{};
  const auto decoded = from_hex_into(text, raw);
  if (!decoded || text.starts_with("0x")) {
    throw std::runtime_error(fmt::format("{} is not a node key: expected 64 hex characters", path));
  }
  auto key = crypto::SecretKey::from_bytes(raw);
  if (!key) throw std::runtime_error(fmt::format("{}: {}", path, key.error().what()));
  return std::make_shared<const crypto::SecretKey>(std::move(*key));
}

std::shared_ptr<const crypto::SecretKey> make_key(const std::string& path) {
  runtime::OsEntropy entropy;
  auto key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(entropy));
  const std::string text = to_hex(key->reveal()) + "\n";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    throw std::runtime_error(fmt::format("cannot make {}: {}", path, std::strerror(errno)));
  }
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  ::close(fd);
  if (!written) throw std::runtime_error(fmt::format("cannot write {}", path));
  return key;
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
