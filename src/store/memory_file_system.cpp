#include "memory_file_system.hpp"

#include <algorithm>
#include <utility>

namespace ethnet::store {

class MemoryFileSystem::MemoryFile final : public File {
 public:
  MemoryFile(MemoryFileSystem& system, std::string path)
      : system_{system}, path_{std::move(path)} {}

  Result<void> append(ByteView bytes) override {
    Bytes& content = system_.files_[path_].bytes;
    auto& failure = system_.failure_;
    if (failure && failure->after-- == 0) {
      ethnet::append(content, bytes.first(std::min(failure->written, bytes.size())));
      failure.reset();
      return fail(FileError::write);
    }
    ethnet::append(content, bytes);
    return {};
  }
  Result<void> sync() override {
    if (std::exchange(system_.fail_sync_, false)) return fail(FileError::sync);
    Content& content = system_.files_[path_];
    content.synced = content.bytes.size();
    return {};
  }
  Result<void> truncate(std::uint64_t size) override {
    Content& content = system_.files_[path_];
    content.bytes.resize(static_cast<std::size_t>(size));
    content.synced = content.bytes.size();
    return {};
  }

 private:
  MemoryFileSystem& system_;
  std::string path_;
};

class MemoryFileSystem::MemoryLock final : public FileLock {
 public:
  MemoryLock(MemoryFileSystem& system, std::string path)
      : system_{system}, path_{std::move(path)} {}
  MemoryLock(const MemoryLock&) = delete;
  MemoryLock& operator=(const MemoryLock&) = delete;
  ~MemoryLock() override { system_.locks_.erase(path_); }

 private:
  MemoryFileSystem& system_;
  std::string path_;
};

void MemoryFileSystem::crash(Prng& prng) {
  for (auto& [path, file] : files_) {
    const std::size_t lost = prng.below(file.bytes.size() - file.synced + 1);
    file.bytes.resize(file.bytes.size() - lost);
    file.synced = file.bytes.size();
  }
  locks_.clear();
}

void MemoryFileSystem::crash_keeping(std::size_t bytes) {
  for (auto& [path, file] : files_) {
    file.bytes.resize(std::min(file.bytes.size(), file.synced + bytes));
    file.synced = file.bytes.size();
  }
  locks_.clear();
}

void MemoryFileSystem::fail_append(std::size_t n, std::size_t written) {
  failure_ = Failure{n, written};
}

Result<void> MemoryFileSystem::make_directory(const std::string&) { return {}; }

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path) {
  if (exhausted_) return fail(FileError::no_descriptors);
  files_.try_emplace(path);
  return std::make_unique<MemoryFile>(*this, path);
}

Result<Bytes> MemoryFileSystem::read(const std::string& path) {
  const auto it = files_.find(path);
  if (it == files_.end()) return fail(FileError::open);
  return it->second.bytes;
}

Result<std::vector<std::string>> MemoryFileSystem::list(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& [name, file] : files_) {
    if (name.starts_with(path + "/")) names.push_back(name.substr(path.size() + 1));
  }
  return names;
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
  if (!locks_.insert(path).second) return fail(FileError::locked);
  return std::make_unique<MemoryLock>(*this, path);
}

}  // namespace ethnet::store
