// The HTTP/1.1 listener of a node: one thread of its own, which reads the snapshots that the node
// publishes, and asks it for what they do not have (node_line.hpp). The node's thread waits for it
// when it starts, is disconnected or destroyed, never between.
//
// Each connection is in one of three phases, and each phase has a deadline that no trickle of bytes
// puts off: its header comes, its body comes, its answer is made and read. At the most connections
// the one whose phase has lasted longest makes way, so that who stalls keeps nobody out.
//
// A WebSocket may be quiet for ever, as long as it answers pings: it makes way for other WebSockets
// alone, the oldest first, and they are so few that the rest have most of the connections.
// Threading: construct, publish and destroy on one thread. Limits: below.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <types/endpoint.hpp>

#include "node_line.hpp"
#include "rpc_queries.hpp"
#include "snapshot_board.hpp"
#include "static_files.hpp"

namespace ethnet::observe {

// Observers are few: a scraper, a page, a person. Each may hold a body, its answer and a socket.
inline constexpr std::size_t kMaxHttpConnections = 64;
inline constexpr std::size_t kMaxHttpHeaderBytes = 8 * 1024;  // of a request; browsers send about 1
inline constexpr std::size_t kMaxHttpBodyBytes = 1024 * 1024;  // of a request: a batch of calls
// Of the connections: pages and watchers. Each may hold a message of ours (kMaxRpcAnswerBytes).
inline constexpr std::size_t kMaxWebSockets = 16;
// Of one message: a batch of a hundred calls is a tenth of it.
inline constexpr std::size_t kMaxWebSocketMessageBytes = 128 * 1024;
// Bytes of an answer in the kernel for a client that does not read; the rest waits in ours.
inline constexpr std::size_t kMaxHttpSendBuffer = 64 * 1024;

class EventLog;

struct HttpConfig {
  Endpoint listen;                   // port 0: any
  std::vector<std::string> names{};  // hosts that we are called besides the usual ones
  StaticFiles files{};               // the page: /index.html and what it needs
  ParsePeer parse_peer{};            // none: peers are not changed over HTTP
  Duration header_time = seconds(5);
  Duration body_time = seconds(10);
  Duration write_time = seconds(10);
  // Of a WebSocket: it is asked after half of it, and ended after all of it.
  Duration silence = seconds(60);
  Duration patience = seconds(5);  // with a node that does not answer
};

class HttpServer {
 public:
  // Binds and listens, then answers on a thread of its own. Throws std::runtime_error with one
  // clear line when the port is taken or the address not ours. The log outlives the server.
  HttpServer(const HttpConfig& config, EventLog& log);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Whom to ask; until disconnect() has returned, which has to be before `put` cannot be called.
  void connect(PutToNode put);
  void disconnect();
  // Never waits; what cannot be published now is missed.
  void publish(SnapshotBoard::Snapshot snapshot);
  // /ready says 503 from now on.
  void drain();
  [[nodiscard]] std::uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ethnet::observe
