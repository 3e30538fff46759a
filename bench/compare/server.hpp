// A server of discv5 as a process of its own: this program in another role, or a peer's. Its first
// line is "record HEX"; it ends when its input does.
#pragma once

#include <optional>
#include <string>

#include <discovery/v5/session/sessions.hpp>

#include "../support/child.hpp"

namespace ethnet::bench {

// Core 0 is the server's, core 1 is whose who asks.
inline constexpr int kServerCore = 0;
inline constexpr int kAskerCore = 1;

class Server {
 public:
  // Ours; or that of a program that knows `serve KEY`.
  explicit Server(const std::optional<std::string>& program);

  [[nodiscard]] const discv5::EnrPtr& record() const { return record_; }
  [[nodiscard]] std::uint64_t cpu_ns() const { return child_.cpu_ns(); }
  // After it has given back what it does not use.
  [[nodiscard]] std::uint64_t resident_bytes();

 private:
  Child child_;
  discv5::EnrPtr record_;
};

// The role: does not return before its input ends. The budgets of the filter are as high as they
// can be: what is measured is the work of an answer, not how many one asker may have.
int serve(const std::string& key_hex);

}  // namespace ethnet::bench
