// What a command writes at its end, where a flag says: "-" is standard output, what is no file (a
// pipe, a device) or has no name any more is written as it is, at its end, and a file is there
// whole, or as it was before. A link stays one: what it leads to is written, or made. A file that
// is replaced keeps its mode, and its owner where the system lets us; other names of it (hard
// links) keep what it was. What a stranger put into a folder like /tmp is neither followed nor
// replaced. Throws std::runtime_error with one line: the flag, the path and the reason.
#pragma once

#include <string>
#include <string_view>

#include <base/bytes.hpp>

#include "output_target.hpp"

namespace ethnet::app {

// The check of a flag that names such a file (CLI11): why not, empty where it does. An empty path,
// as of a variable that is not set, would lose what is to be written.
[[nodiscard]] std::string refuse_no_file(const std::string& path);

class OutputFile {
 public:
  // `flag`: "--json". An empty path: nothing is to be written.
  OutputFile(std::string flag, std::string path);

  [[nodiscard]] bool is_wanted() const { return !path_.empty(); }
  // Whether it can be written, before hours of work rather than after. Leaves everything as it is.
  void check() const;
  void write(std::string_view text) const;
  void write(ByteView bytes) const;
  [[nodiscard]] bool is_standard_output() const { return path_ == "-"; }

 private:
  [[noreturn]] void fail(int error) const;
  void write_to(int fd, ByteView bytes) const;
  [[nodiscard]] OutputTarget target() const;
  void replace(OutputTarget target, ByteView bytes) const;

  std::string flag_;
  std::string path_;
};

}  // namespace ethnet::app
