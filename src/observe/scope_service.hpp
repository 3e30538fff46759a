// ethscope.EthScope: answers from the newest snapshot and the event log. What it calls into never
// blocks for longer than it takes to copy a pointer.
// Threading: gRPC's threads call it; wake_streams() from one other. Limits: grpc_server.hpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>

#include <ethscope.grpc.pb.h>

#include "event_log.hpp"
#include "snapshot_board.hpp"

namespace ethnet::observe {

class EventStream;

// The streams that are open. Shared with them: one may end after the service has gone.
class StreamList {
 public:
  // False: there are kMaxEventStreams.
  bool add(const std::shared_ptr<EventStream>& stream);
  void remove(const std::shared_ptr<EventStream>& stream);
  // Each goes on where it waits for something newer.
  void wake_all();
  // Each ends, as the node does.
  void end_all();
  [[nodiscard]] std::size_t size() const { return size_; }

  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> gaps{0};    // that readers were told of
  std::atomic<std::uint64_t> missed{0};  // events in these

 private:
  [[nodiscard]] std::vector<std::shared_ptr<EventStream>> all() const;

  mutable std::mutex mutex_;
  std::set<std::shared_ptr<EventStream>> streams_;
  std::atomic<std::size_t> size_{0};
};

class ScopeService final : public ethscope::EthScope::CallbackService {
 public:
  // Both outlive the service and its streams.
  ScopeService(const SnapshotBoard& board, EventLog& log);

  [[nodiscard]] StreamList& streams() { return *streams_; }
  [[nodiscard]] const StreamList& streams() const { return *streams_; }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }

 private:
  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;

  Unary* GetSummary(Context* context, const ethscope::GetSummaryRequest* request,
                    ethscope::Summary* response) override;
  Unary* ListPeers(Context* context, const ethscope::ListPeersRequest* request,
                   ethscope::ListPeersResponse* response) override;
  grpc::ServerWriteReactor<ethscope::Event>* StreamEvents(
      Context* context, const ethscope::StreamEventsRequest* request) override;
  Unary* ListRefusals(Context* context, const ethscope::ListRefusalsRequest* request,
                      ethscope::ListRefusalsResponse* response) override;
  Unary* GetReorgs(Context* context, const ethscope::GetReorgsRequest* request,
                   ethscope::GetReorgsResponse* response) override;
  Unary* GetForkTree(Context* context, const ethscope::GetForkTreeRequest* request,
                     ethscope::ForkTree* response) override;
  Unary* ListDataSets(Context* context, const ethscope::ListDataSetsRequest* request,
                      ethscope::ListDataSetsResponse* response) override;
  // Ends the call with what `fill` makes of the newest snapshot.
  template <class Fill>
  Unary* from_snapshot(Context& context, Fill fill);

  const SnapshotBoard& board_;
  EventLog& log_;
  std::shared_ptr<StreamList> streams_;
  std::atomic<std::uint64_t> calls_{0};
};

}  // namespace ethnet::observe
