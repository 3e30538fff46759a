// An output as a person sees it: log lines that scroll by, and below them, on a terminal, one
// status line that is drawn over and over. A log line takes the place of the status line, which is
// then drawn again, so that the two never mix. Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

namespace ethnet::runtime {

class Console {
 public:
  using Write = std::function<void(const std::string& bytes)>;
  using Width = std::function<std::size_t()>;

  // `width`: columns of the terminal now; 0: it is none, and status() shows nothing.
  Console(Write write, Width width);
  // An open file: STDERR_FILENO or STDOUT_FILENO.
  explicit Console(int fd);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  [[nodiscard]] bool is_terminal() const { return width_() > 0; }
  [[nodiscard]] std::size_t width() const { return width_(); }

  void line(const std::string& text);
  // ASCII; cut to the width, since a line that wraps cannot be drawn over.
  void status(const std::string& text);
  // Leaves no status line behind.
  void clear_status();

 private:
  [[nodiscard]] std::string shown() const;

  Write write_;
  Width width_;
  std::mutex mutex_;
  std::string status_;
};

}  // namespace ethnet::runtime
