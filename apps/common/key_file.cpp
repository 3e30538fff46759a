#include "key_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <base/hex.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <runtime/os.hpp>
#include <store/descriptor.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace ethnet::app {
namespace {

using store::Descriptor;

constexpr mode_t kOwnerOnly = 0600;

[[noreturn]] void refuse(std::string_view what, const std::string& path) {
  throw std::runtime_error(fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

// Removes the name when it goes out of scope; the file stays where it has another one.
class TemporaryName {
 public:
  explicit TemporaryName(std::string path) : path_{std::move(path)} {}
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  ~TemporaryName() { ::unlink(path_.c_str()); }

 private:
  std::string path_;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool sync(int fd) {
  while (::fsync(fd) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

// At most `limit` bytes: what is longer is no key, whatever it is.
std::string read_some(int fd, std::size_t limit, const std::string& path) {
  std::string text;
  std::array<char, 256> buffer{};
  while (text.size() < limit) {
    const auto n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse("read", path);
    if (n == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace

std::shared_ptr<const crypto::SecretKey> read_key(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status{};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) refuse("read", path);
  if (!S_ISREG(status.st_mode)) {
    throw std::runtime_error(fmt::format("{} is not a node key: not a regular file", path));
  }
  if ((status.st_mode & 077U) != 0) {
    throw std::runtime_error(fmt::format(
        "{} has mode {:04o}: others could read the node key; if it is still secret: chmod 600 {}",
        path, status.st_mode & 07777U, path));
  }
  constexpr std::size_t kKeyText = 65;
  std::string text = read_some(file.get(), kKeyText + 1, path);
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
  const std::string temporary = fmt::format("{}.{:016x}.new", path, entropy.next());
  const Descriptor file{
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly)};
  if (!file.valid()) refuse("make", path);
  {
    const TemporaryName name{temporary};
    // fchmod: whatever the umask is.
    const bool written =
        ::fchmod(file.get(), kOwnerOnly) == 0 && write_all(file.get(), text) && sync(file.get());
    if (!written) refuse("write", path);
    // Not rename(): that would replace a key that another process made meanwhile.
    if (::link(temporary.c_str(), path.c_str()) != 0) refuse("make", path);
  }
  const std::filesystem::path parent = std::filesystem::path{path}.parent_path();
  const Descriptor folder{
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder.valid() || !sync(folder.get())) refuse("write", path);
  return key;
}

}  // namespace ethnet::app
