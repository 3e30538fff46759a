// What a command writes at its end, where a flag says: "-" is standard output, what is no file (a
// pipe, a device) is written as it is, and a file is there whole, or as it was before.
// Throws std::runtime_error with one line: the flag, the path and the reason.
#pragma once

#include <string>
#include <string_view>

namespace ethnet::app {

class OutputFile {
 public:
  // `flag`: "--json". An empty path: nothing is to be written.
  OutputFile(std::string flag, std::string path);

  [[nodiscard]] bool is_wanted() const { return !path_.empty(); }
  // Whether it can be written, before hours of work rather than after. Leaves everything as it is.
  void check() const;
  void write(std::string_view text) const;

 private:
  [[noreturn]] void fail(int error) const;
  void write_to(int fd, std::string_view text) const;
  void replace(std::string_view text) const;

  std::string flag_;
  std::string path_;
};

}  // namespace ethnet::app
