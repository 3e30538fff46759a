// Asks the DNS (c-ares) for texts and addresses, on one io_context and its thread. Which server:
// the system's, or one that is named. A truncated answer is asked for again over TCP.
// Threading: all of it on the io_context's thread. Limits: kMaxTexts of an answer; how many
// questions are under way is up to the caller.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <boost/asio/io_context.hpp>
#include <types/endpoint.hpp>

namespace ethnet::runtime {

// Of one answer; what is beyond is not looked at. A name has one entry of a tree, and few others.
inline constexpr std::size_t kMaxTexts = 64;
// Of one name; servers of large names give a dozen.
inline constexpr std::size_t kMaxAddresses = 64;

struct DnsOptions {
  std::string server;              // "HOST:PORT", HOST an address; empty: those of the system
  Duration patience = seconds(2);  // of the first try; later ones wait longer
  int tries = 3;                   // of each server
};

enum class DnsOutcome : std::uint8_t {
  found,
  not_found,  // there is no such name, or it has nothing of this kind
  failed      // no answer, or one that says so
};

struct TextAnswer {
  DnsOutcome outcome = DnsOutcome::failed;
  std::vector<std::string> texts;  // each put together from its strings
  std::string why;                 // in words, where there is none
};
struct AddressAnswer {
  DnsOutcome outcome = DnsOutcome::failed;
  std::vector<IpAddress> addresses;  // IPv4 and IPv6
  std::string why;
};

class DnsResolver {
 public:
  // Throws std::runtime_error with one clear line.
  DnsResolver(boost::asio::io_context& io, const DnsOptions& options);
  DnsResolver(const DnsResolver&) = delete;
  DnsResolver& operator=(const DnsResolver&) = delete;
  // What is under way is dropped: its `done` is not called.
  ~DnsResolver();

  // `done` is called once, later, never from inside this call.
  void ask_texts(const std::string& name, std::function<void(TextAnswer)> done);
  void ask_addresses(const std::string& name, std::function<void(AddressAnswer)> done);
  [[nodiscard]] std::size_t under_way() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace ethnet::runtime
