// The few things that a store does with files, as an interface, so that a test or the simulator can
// lose what was not synced, tear a write, or fail one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>

namespace ethnet::store {

enum class FileError : std::uint16_t {
  open = 1,
  read,
  write,
  sync,
  truncate,
  make_directory,
  locked,          // another process holds it
  no_descriptors,  // of this process or of the system: nothing was opened or made, try again later
};
[[nodiscard]] const ErrorDomain& error_domain(FileError);

// Open for append. Closed by the destructor, without a sync.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  // At the end; all or an error. After an error any part may be there.
  [[nodiscard]] virtual Result<void> append(ByteView bytes) = 0;
  [[nodiscard]] virtual Result<void> sync() = 0;
  [[nodiscard]] virtual Result<void> truncate(std::uint64_t size) = 0;
};

// Held until it is destroyed.
class FileLock {
 public:
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;

  // With its parents; no error when it is there.
  [[nodiscard]] virtual Result<void> make_directory(const std::string& path) = 0;
  // Makes the file when it is not there, durably. Error: no_descriptors made nothing.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path) = 0;
  [[nodiscard]] virtual Result<Bytes> read(const std::string& path) = 0;
  [[nodiscard]] virtual bool exists(const std::string& path) = 0;
  // Names of the files in a directory, sorted.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  // Error: locked.
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

}  // namespace ethnet::store
