#include "posix_file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptor.hpp"

namespace ethnet::store {
namespace {

class PosixFile final : public File {
 public:
  explicit PosixFile(int fd) : fd_{fd} {}

  Result<void> append(ByteView bytes) override {
    while (!bytes.empty()) {
      const auto n = ::write(fd_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return fail(FileError::write);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }
  Result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return fail(FileError::sync);
    return {};
  }
  Result<void> truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return fail(FileError::truncate);
    return sync();
  }

 private:
  Descriptor fd_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(int fd) : fd_{fd} {}

 private:
  Descriptor fd_;
};

// Why the system opened nothing.
std::unexpected<Error> not_opened() {
  return fail(errno == EMFILE || errno == ENFILE ? FileError::no_descriptors : FileError::open);
}

}  // namespace

Result<void> PosixFileSystem::make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail(FileError::make_directory);
  return {};
}

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path) {
  const bool is_new = !exists(path);
  // A new name is durable when its directory is. The directory first: when no descriptor is left
  // for it, no file must have been made.
  const std::string parent = std::filesystem::path{path}.parent_path().string();
  const Descriptor directory{is_new ? ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                                    : -1};
  if (is_new && !directory.valid()) return not_opened();
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return not_opened();
  std::unique_ptr<File> file = std::make_unique<PosixFile>(fd);
  if (is_new && ::fsync(directory.get()) != 0) return fail(FileError::sync);
  return file;
}

Result<Bytes> PosixFileSystem::read(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.valid()) return not_opened();
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail(FileError::read);
  Bytes bytes(static_cast<std::size_t>(status.st_size));
  MutByteView rest = bytes;
  while (!rest.empty()) {
    const auto n = ::read(file.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(FileError::read);
    rest = rest.subspan(static_cast<std::size_t>(n));
  }
  return bytes;
}

bool PosixFileSystem::exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator it{path, error}, end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) return fail(FileError::read);
  std::ranges::sort(names);
  return names;
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return not_opened();
  std::unique_ptr<FileLock> held = std::make_unique<PosixLock>(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return fail(FileError::locked);
  return held;
}

}  // namespace ethnet::store
