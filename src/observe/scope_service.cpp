#include "scope_service.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "event_stream.hpp"
#include "grpc_server.hpp"
#include "scope_messages.hpp"

namespace ethnet::observe {

bool StreamList::add(const std::shared_ptr<EventStream>& stream) {
  const std::scoped_lock lock{mutex_};
  if (streams_.size() >= kMaxEventStreams) {
    ++refused;
    return false;
  }
  streams_.insert(stream);
  size_ = streams_.size();
  return true;
}

void StreamList::remove(const std::shared_ptr<EventStream>& stream) {
  const std::scoped_lock lock{mutex_};
  streams_.erase(stream);
  size_ = streams_.size();
}

std::vector<std::shared_ptr<EventStream>> StreamList::all() const {
  const std::scoped_lock lock{mutex_};
  return {streams_.begin(), streams_.end()};
}

void StreamList::wake_all() {
  for (const auto& stream : all()) stream->advance();
}

void StreamList::end_all() {
  for (const auto& stream : all()) {
    stream->end({grpc::StatusCode::UNAVAILABLE, "the node stops"});
  }
}

ScopeService::ScopeService(const SnapshotBoard& board, EventLog& log)
    : board_{board}, log_{log}, streams_{std::make_shared<StreamList>()} {}

template <class Fill>
grpc::ServerUnaryReactor* ScopeService::from_snapshot(Context& context, Fill fill) {
  ++calls_;
  Unary* reactor = context.DefaultReactor();
  const SnapshotBoard::Snapshot snapshot = board_.newest();
  if (snapshot == nullptr) {
    reactor->Finish({grpc::StatusCode::UNAVAILABLE, "the node is starting"});
    return reactor;
  }
  fill(*snapshot);
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* ScopeService::GetSummary(Context* context,
                                                   const ethscope::GetSummaryRequest* /*request*/,
                                                   ethscope::Summary* response) {
  return from_snapshot(*context, [&](const node::NodeSnapshot& snapshot) {
    to_message(snapshot, log_.newest(), *response);
  });
}

grpc::ServerUnaryReactor* ScopeService::ListPeers(Context* context,
                                                  const ethscope::ListPeersRequest* /*request*/,
                                                  ethscope::ListPeersResponse* response) {
  return from_snapshot(
      *context, [&](const node::NodeSnapshot& snapshot) { to_message(snapshot, *response); });
}

grpc::ServerUnaryReactor* ScopeService::GetForkTree(Context* context,
                                                    const ethscope::GetForkTreeRequest* request,
                                                    ethscope::ForkTree* response) {
  return from_snapshot(*context, [&](const node::NodeSnapshot& snapshot) {
    const std::uint64_t depth = request->depth() == 0 ? UINT64_MAX : request->depth();
    to_message(snapshot, depth, *response);
  });
}

grpc::ServerUnaryReactor* ScopeService::ListDataSets(
    Context* context, const ethscope::ListDataSetsRequest* /*request*/,
    ethscope::ListDataSetsResponse* response) {
  return from_snapshot(
      *context, [&](const node::NodeSnapshot& snapshot) { to_message(snapshot, *response); });
}

grpc::ServerUnaryReactor* ScopeService::GetReorgs(Context* context,
                                                  const ethscope::GetReorgsRequest* request,
                                                  ethscope::GetReorgsResponse* response) {
  ++calls_;
  Unary* reactor = context->DefaultReactor();
  if (request->limit() > kMaxReorgsAsked) {
    reactor->Finish(
        {grpc::StatusCode::INVALID_ARGUMENT, "limit: at most " + std::to_string(kMaxReorgsAsked)});
    return reactor;
  }
  const std::uint32_t most = request->limit() == 0 ? kDefaultReorgs : request->limit();
  to_message(log_.reorgs(most, kMaxReorgAnswerBytes), *response);
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<ethscope::Event>* ScopeService::StreamEvents(
    Context* /*context*/, const ethscope::StreamEventsRequest* request) {
  ++calls_;
  const std::uint64_t after = request->only_new() ? log_.newest() : log_.resumed(request->after());
  const auto stream = std::make_shared<EventStream>(log_, streams_, after);
  stream->begin();
  return stream.get();  // it keeps itself alive
}

}  // namespace ethnet::observe
