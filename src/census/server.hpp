// The HTTP/1.1 listener of a census: one thread of its own, which reads the file that a crawl
// writes. Each connection asks once, within kCensusPatience in all; at the most of them the oldest
// that has not been answered makes way, and of answered ones the oldest, so that who stalls keeps
// nobody out.
// Threading: construct and destroy on one thread. Throws std::runtime_error with one clear line
// when the port is taken or the address not ours.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <types/endpoint.hpp>

namespace ethnet::census {

// A page opens six; each may hold an answer of a megabyte.
inline constexpr std::size_t kMaxCensusConnections = 32;
inline constexpr std::size_t kMaxCensusHeaderBytes = 8 * 1024;  // browsers send about 1
// Of one answer, in the kernel; Linux takes twice as much for it. Left to itself it would take a
// whole answer of a megabyte, so that one who does not read would no longer be a connection that
// can make way; so all that read slowly have 4 MB there, and one that reads gets 64 KB a round
// trip: a megabyte in 16.
inline constexpr std::size_t kMaxCensusSendBuffer = 64 * 1024;
inline constexpr Duration kCensusPatience = seconds(10);

class Server {
 public:
  // `names`: hosts that we are called besides localhost and `listen`, "*" is any.
  Server(const std::string& census, const Endpoint& listen, std::vector<std::string> names = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();
  // Where a browser on this host finds it, and is not refused: "http://127.0.0.1:8080/".
  [[nodiscard]] std::string url() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ethnet::census
