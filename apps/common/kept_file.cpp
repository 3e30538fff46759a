#include "kept_file.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>

#include "files.hpp"

namespace ethnet::app {

void KeptFile::say(Now now, const std::string& problem, LogLevel level) {
  log_.write(now, level, title_, {{"problem", problem}});
}

bool KeptFile::fail(Now now, const std::string& problem) {
  say(now, problem, failed_ ? LogLevel::debug : LogLevel::warn);
  failed_ = true;
  return false;
}

Bytes KeptFile::read(Now now) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path_, error);
  if (error == std::errc::no_such_file_or_directory) return {};
  if (error) {
    say(now, "cannot read " + path_ + ": " + error.message());
    return {};
  }
  if (size > max_bytes_) {
    say(now, path_ + " is too large to be one");
    return {};
  }
  try {
    known_ = read_binary_file(path_);
    return known_;
  } catch (const std::exception& failure) {
    say(now, failure.what());
    return {};
  }
}

bool KeptFile::write(ByteView bytes, Now now) {
  const std::string fresh = path_ + ".new";
  std::string text;
  for (const std::byte b : bytes) text.push_back(static_cast<char>(b));
  std::ofstream file{fresh, std::ios::binary | std::ios::trunc};
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return fail(now, "cannot write " + fresh);
  std::error_code error;
  std::filesystem::rename(fresh, path_, error);
  if (error) return fail(now, "cannot write " + path_ + ": " + error.message());
  failed_ = false;
  known_ = to_bytes(bytes);
  return true;
}

void KeptFile::write_news(ByteView bytes, Now now) {
  if (!std::ranges::equal(bytes, known_)) (void)write(bytes, now);
}

}  // namespace ethnet::app
