// Files in memory that behave as a disk does at its worst: what was not synced may be gone, or half
// there, after crash(); a write or a sync fails when told to. For tests and simulations.
#pragma once

#include <map>
#include <optional>
#include <set>

#include <base/prng.hpp>

#include "file_system.hpp"

namespace ethnet::store {

class MemoryFileSystem final : public FileSystem {
 public:
  // Every file keeps what was synced and a part of the rest, drawn for each.
  void crash(Prng& prng);
  // Every file keeps what was synced and exactly `bytes` of the rest (all, if there is less).
  void crash_keeping(std::size_t bytes);
  // The n-th append from now on fails after `written` of its bytes; 0 is the next.
  void fail_append(std::size_t n, std::size_t written);
  void fail_next_sync() { fail_sync_ = true; }
  // Until it is told otherwise, no file can be opened.
  void exhaust_descriptors(bool exhausted) { exhausted_ = exhausted; }

  [[nodiscard]] Bytes& content(const std::string& path) { return files_[path].bytes; }
  [[nodiscard]] std::size_t unsynced(const std::string& path) {
    return files_[path].bytes.size() - files_[path].synced;
  }

  [[nodiscard]] Result<void> make_directory(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path) override;
  [[nodiscard]] Result<Bytes> read(const std::string& path) override;
  [[nodiscard]] bool exists(const std::string& path) override { return files_.contains(path); }
  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

 private:
  struct Content {
    Bytes bytes;
    std::size_t synced = 0;
  };
  class MemoryFile;
  class MemoryLock;

  std::map<std::string, Content> files_;
  std::set<std::string> locks_;
  struct Failure {
    std::size_t after = 0;
    std::size_t written = 0;
  };
  std::optional<Failure> failure_;
  bool fail_sync_ = false;
  bool exhausted_ = false;
};

}  // namespace ethnet::store
