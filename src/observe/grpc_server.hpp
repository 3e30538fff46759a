// The gRPC side of a node: ethscope.EthScope (proto/ethscope.proto), grpc.health.v1.Health and
// reflection. It reads what the node publishes and nothing else of it; a reader may be slow,
// hostile or gone, and the node does not notice.
//
//   node's thread: publish(), EventLog::append()  ->  SnapshotBoard, EventLog
//   a thread for the listener, one that wakes the streams, and gRPC's own
//
// Health is NOT_SERVING until the first snapshot and from drain() on.
// A stream has one message under way; what it has not read waits in the EventLog, which forgets
// the oldest: a slow reader costs nothing and sees a gap.
// Connections are accepted here and handed to gRPC, which would neither bound their number nor
// accept again after a shortage of descriptors.
// Threading: construct, publish, drain and destroy on one thread. Limits: below.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <base/instant.hpp>
#include <node/snapshot.hpp>
#include <types/endpoint.hpp>

#include "snapshot_board.hpp"

namespace ethnet::observe {

// Observers are few. More are closed at once, and counted.
inline constexpr std::size_t kMaxGrpcConnections = 64;
inline constexpr std::size_t kMaxGrpcCalls = 100;  // at once, of one connection
// StreamEvents at once; more are told RESOURCE_EXHAUSTED.
inline constexpr std::size_t kMaxEventStreams = 64;
// Of a request: the largest has two numbers.
inline constexpr std::size_t kMaxGrpcRequestBytes = 16 * 1024;
// Of the reorganisations in one answer: clients take 4 MiB where they are not told otherwise.
inline constexpr std::size_t kMaxReorgAnswerBytes = 3 * 1024 * 1024;
inline constexpr std::size_t kMaxReorgsAsked = 256;
inline constexpr std::uint32_t kDefaultReorgs = 16;

class EventLog;

struct GrpcConfig {
  Endpoint listen;  // port 0: any
};

class GrpcServer {
 public:
  // Binds and listens. Throws std::runtime_error with one clear line when the port is taken or the
  // address not ours. The log outlives the server.
  GrpcServer(const GrpcConfig& config, EventLog& log);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // These never wait; what cannot be handed over now is with the next one.
  void publish(SnapshotBoard::Snapshot snapshot);
  void drain();
  [[nodiscard]] std::uint16_t port() const;
  // What it refused and holds, in a fixed order.
  [[nodiscard]] std::vector<node::Counter> counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ethnet::observe
