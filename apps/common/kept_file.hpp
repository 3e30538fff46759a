// A file of the data directory by which a run leaves something to the next one. It is a help and
// never a reason not to start: what cannot be read or written is said and passed over. What is in
// it is judged by who reads it.
#pragma once

#include <cstdint>
#include <string>

#include <base/bytes.hpp>
#include <base/log.hpp>

namespace ethnet::app {

class KeptFile {
 public:
  // `title` begins what is said of it. A file above `max_bytes` is none.
  KeptFile(std::string path, std::string title, std::uint64_t max_bytes, Log& log)
      : path_{std::move(path)}, title_{std::move(title)}, max_bytes_{max_bytes}, log_{log} {}

  // Empty when there is none, or none that can be read.
  [[nodiscard]] Bytes read(Now now);
  // The old file stays until the new one is there. Whether it is.
  bool write(ByteView bytes, Now now);
  // Only where it is not what was read or written last.
  void write_news(ByteView bytes, Now now);

 private:
  void say(Now now, const std::string& problem, LogLevel level = LogLevel::warn);
  bool fail(Now now, const std::string& problem);

  std::string path_;
  std::string title_;
  std::uint64_t max_bytes_;
  Log& log_;
  Bytes known_;          // of the file
  bool failed_ = false;  // the last write: it is tried again and again, and said once
};

}  // namespace ethnet::app
