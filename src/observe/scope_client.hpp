// A client of ethscope.EthScope for programs that know nothing of gRPC: answers are JSON of one
// line, with the field names of proto/ethscope.proto, hashes and identities as 0x…, and 64-bit
// numbers as numbers. Fields that are zero, empty or absent are left out, but for numbers and
// truth values that the message always has.
// Threading: one thread; calls block. Throws ScopeError.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include <base/instant.hpp>

namespace ethnet::observe {

class ScopeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ScopeClient {
 public:
  // `target`: "localhost:10001", looked up here; nothing is sent yet.
  ScopeClient(const std::string& target, Duration patience);
  ~ScopeClient();
  ScopeClient(const ScopeClient&) = delete;
  ScopeClient& operator=(const ScopeClient&) = delete;

  [[nodiscard]] std::string summary();
  [[nodiscard]] std::string peers();
  [[nodiscard]] std::string reorgs(std::uint32_t limit);
  [[nodiscard]] std::string fork_tree(std::uint32_t depth);
  [[nodiscard]] std::string data_sets();
  [[nodiscard]] std::string refusals();
  // Each event after `after`, until `on_event` returns false or the node goes away; nothing named:
  // what comes from now on.
  struct From {
    std::uint64_t after = 0;
    bool only_new = false;
  };
  void events(From from, const std::function<bool(const std::string&)>& on_event);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ethnet::observe
