// A file descriptor with one owner: closed at the end of the scope, or before by close(). It is in
// this module since the lower ones know no system: the programs take it from here.
#pragma once

#include <utility>

#include <unistd.h>

namespace ethnet::store {

class Descriptor {
 public:
  // `fd` may be -1: of a call that failed.
  explicit Descriptor(int fd) : fd_{fd} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  // Some file systems say only here that there was no room: -1, and errno.
  [[nodiscard]] int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

}  // namespace ethnet::store
