// The files of the operating system. The only place of this module that touches it.
#pragma once

#include "file_system.hpp"

namespace ethnet::store {

class PosixFileSystem final : public FileSystem {
 public:
  [[nodiscard]] Result<void> make_directory(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path) override;
  [[nodiscard]] Result<Bytes> read(const std::string& path) override;
  [[nodiscard]] bool exists(const std::string& path) override;
  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
};

}  // namespace ethnet::store
