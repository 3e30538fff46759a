#include "control_service.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include <das/dataset.hpp>
#include <fmt/format.h>
#include <node/block_why.hpp>
#include <protocol/das_lite/limits.hpp>

namespace ethnet::control {
namespace {

using grpc::Status;
using grpc::StatusCode;

constexpr std::uint32_t kDefaultSamples = 8;
constexpr std::uint32_t kLeastChunkBytes = 1024;  // of what is cut without being told how
constexpr std::uint64_t kChunksWanted = 256;

Status invalid(std::string what) { return {StatusCode::INVALID_ARGUMENT, std::move(what)}; }

Status status_of(const Failure& failure) {
  switch (failure.trouble) {
    case Trouble::refused:
      return invalid(failure.what);
    case Trouble::not_possible:
      return {StatusCode::FAILED_PRECONDITION, failure.what};
    case Trouble::ending:
      return {StatusCode::UNAVAILABLE, failure.what};
    case Trouble::silent:
      return {StatusCode::DEADLINE_EXCEEDED, failure.what};
  }
  return {StatusCode::INTERNAL, failure.what};
}

// The caller has gone, or the node ends.
Status gone() { return Status::CANCELLED; }

std::string text_of(ByteView bytes) {
  std::string out(bytes.size(), '\0');
  std::ranges::transform(bytes, out.begin(), [](std::byte b) { return static_cast<char>(b); });
  return out;
}

Outcome<node::StaticPeer> parse_peer(const ControlConfig& config, const std::string& name) {
  try {
    return config.parse_peer(name);
  } catch (const std::runtime_error& error) {
    return std::unexpected{Failure{Trouble::refused, error.what()}};
  }
}

template <class Id>
Outcome<Id> parse_id(const std::string& bytes, std::string_view field) {
  Id id;
  if (bytes.size() != id.bytes.size()) {
    return std::unexpected{
        Failure{Trouble::refused, fmt::format("{}: {} bytes; 32 are one", field, bytes.size())}};
  }
  std::ranges::copy(text_bytes(bytes), id.bytes.begin());
  return id;
}

// The smallest power of two, 1 KiB at least, that gives no more chunks than sampling needs.
std::uint32_t chunk_size_for(std::uint64_t total) {
  std::uint32_t size = kLeastChunkBytes;
  while (size < das::kMaxChunkBytes && total > kChunksWanted * size) size *= 2;
  return size;
}

void to_message(const chain::RankedHead& head, BlockExplanation::Head& out) {
  out.set_hash(text_of(head.block.hash.view()));
  out.set_number(head.block.number);
  out.set_score(head.score.value);
  out.set_why(head.score.why);
}

BlockExplanation::Standing standing_of(node::Standing standing) {
  switch (standing) {
    case node::Standing::unknown:
      return BlockExplanation::UNKNOWN;
    case node::Standing::canonical:
      return BlockExplanation::CANONICAL;
    case node::Standing::side:
      return BlockExplanation::SIDE;
  }
  return BlockExplanation::UNKNOWN;
}

// What lies at one place of a data set that is held whole; nothing: it is not.
struct Piece {
  std::string bytes;
  std::uint32_t next = 0;  // chunk
  std::uint32_t total = 0;
};
std::optional<Piece> read_piece(const node::Node& node, const das::DataId& id, std::uint32_t from) {
  const das_lite::Engine* das = node.das();
  const auto shape = das == nullptr ? std::nullopt : das->store().shape_of(id);
  if (!shape || !das->store().is_whole(id)) return std::nullopt;
  Piece piece{.bytes = {}, .next = from, .total = shape->total_chunks};
  while (piece.next < piece.total) {
    const auto chunk = das->chunk(id, piece.next);
    if (!chunk) return std::nullopt;
    if (piece.bytes.size() + chunk->bytes.size() > kMaxPieceBytes) break;
    piece.bytes += text_of(chunk->bytes);
    ++piece.next;
  }
  return piece;
}

}  // namespace

Status ControlService::AddPeer(Context* /*context*/, const AddPeerRequest* request,
                               AddPeerResponse* response) {
  ++calls_;
  const auto peer = parse_peer(config_, request->peer());
  if (!peer) return status_of(peer.error());
  const auto added = desk_.ask<Result<bool>>(
      [to = *peer](node::Node& node, Now now) { return node.add_peer(now, to); });
  if (!added) return status_of(added.error());
  if (!*added) return {StatusCode::FAILED_PRECONDITION, std::string{added->error().what()}};
  response->set_added(**added);
  return Status::OK;
}

Status ControlService::RemovePeer(Context* /*context*/, const RemovePeerRequest* request,
                                  RemovePeerResponse* response) {
  ++calls_;
  const auto peer = parse_peer(config_, request->peer());
  if (!peer) return status_of(peer.error());
  const auto removed = desk_.ask<bool>(
      [to = *peer](node::Node& node, Now now) { return node.remove_peer(now, to); });
  if (!removed) return status_of(removed.error());
  response->set_removed(*removed);
  return Status::OK;
}

Status ControlService::Publish(Context* context, grpc::ServerReader<PublishRequest>* reader,
                               PublishResponse* response) {
  ++calls_;
  Bytes data;
  std::uint32_t chunk_size = 0;
  PublishRequest piece;
  while (reader->Read(&piece)) {
    if (data.empty()) chunk_size = piece.chunk_size();
    if (data.size() + piece.data().size() > das::kMaxDataBytes) {
      return invalid(fmt::format("data: more than {} bytes", das::kMaxDataBytes));
    }
    const ByteView more = text_bytes(piece.data());
    data.insert(data.end(), more.begin(), more.end());
  }
  if (context->IsCancelled()) return gone();  // what came may not be all
  if (chunk_size == 0) chunk_size = chunk_size_for(data.size());
  const auto shape = das::split_shape(data.size(), chunk_size);
  if (!shape) {
    return invalid(
        fmt::format("{} bytes in chunks of {}: {}", data.size(), chunk_size, shape.error().what()));
  }
  // The turn may come after this call has given up: nothing in it is ours.
  const auto owned = std::make_shared<Bytes>(std::move(data));
  const auto run = desk_.begin([owned, chunk_size](node::Node& node, Now now) {
    return node.publish(now, std::move(*owned), chunk_size);
  });
  if (!run) return status_of(run.error());
  const auto event = desk_.next(**run);
  if (!event) return status_of(event.error());
  const auto& published = std::get<node::DataPublished>(*event);
  if (!published.kept) {
    return {StatusCode::FAILED_PRECONDITION, "there is no room for it among what is kept"};
  }
  response->set_data_id(text_of(published.data_id.view()));
  response->set_total_chunks(shape->total_chunks);
  response->set_chunk_size(shape->chunk_size);
  response->set_total_bytes(shape->total_bytes);
  return Status::OK;
}

Status ControlService::Sample(Context* /*context*/, const SampleRequest* request,
                              grpc::ServerWriter<SampleProgress>* writer) {
  ++calls_;
  const auto asked = parse_id<das::DataId>(request->data_id(), "data_id");
  if (!asked) return status_of(asked.error());
  const das::DataId id = *asked;
  if (request->k() > das_lite::kMaxSamples) {
    return invalid(fmt::format("k: at most {}", das_lite::kMaxSamples));
  }
  const std::uint32_t k = request->k() == 0 ? kDefaultSamples : request->k();
  const auto run =
      desk_.begin([id, k](node::Node& node, Now now) { return node.sample(now, id, k); });
  if (!run) return status_of(run.error());
  while (true) {
    const auto event = desk_.next(**run);
    if (!event) return status_of(event.error());
    const auto& sampled = std::get<node::DataSampled>(*event);
    SampleProgress progress;
    progress.set_requested(sampled.requested);
    progress.set_received(sampled.received);
    if (sampled.confidence) progress.set_confidence(*sampled.confidence);
    progress.set_fooled_probability(sampled.fooled_probability);
    progress.set_done(sampled.done);
    if (!writer->Write(progress)) return gone();
    if (sampled.done) return Status::OK;
  }
}

Status ControlService::Get(Context* /*context*/, const GetRequest* request,
                           grpc::ServerWriter<GetResponse>* writer) {
  ++calls_;
  const auto asked = parse_id<das::DataId>(request->data_id(), "data_id");
  if (!asked) return status_of(asked.error());
  const das::DataId id = *asked;
  const auto whole = desk_.ask<bool>([id](node::Node& node, Now) {
    return node.das() != nullptr && node.das()->store().is_whole(id);
  });
  if (!whole) return status_of(whole.error());
  if (*whole) return send_data(id, *writer);

  const auto run = desk_.begin([id](node::Node& node, Now now) { return node.fetch(now, id); });
  if (!run) return status_of(run.error());
  while (true) {
    const auto event = desk_.next(**run);
    if (!event) return status_of(event.error());
    const auto& fetched = std::get<node::DataFetched>(*event);
    GetResponse message;
    message.mutable_progress()->set_received(fetched.received);
    message.mutable_progress()->set_total(fetched.total);
    if (!writer->Write(message)) return gone();
    if (!fetched.done) continue;
    if (fetched.received == fetched.total) return send_data(id, *writer);
    return {StatusCode::FAILED_PRECONDITION,
            fmt::format("{} of {} chunks cannot be had: nobody who is asked has them",
                        fetched.total - fetched.received, fetched.total)};
  }
}

Status ControlService::send_data(const das::DataId& id, grpc::ServerWriter<GetResponse>& writer) {
  std::uint32_t at = 0;
  while (true) {
    auto piece = desk_.ask<std::optional<Piece>>(
        [id, at](node::Node& node, Now) { return read_piece(node, id, at); });
    if (!piece) return status_of(piece.error());
    if (!*piece) return {StatusCode::FAILED_PRECONDITION, "it is not held any more"};
    at = (*piece)->next;
    const bool last = at == (*piece)->total;
    GetResponse message;
    message.set_data(std::move((*piece)->bytes));
    if (!writer.Write(message)) return gone();
    if (last) return Status::OK;
  }
}

Status ControlService::ExplainBlock(Context* /*context*/, const ExplainBlockRequest* request,
                                    BlockExplanation* response) {
  ++calls_;
  const auto asked = parse_id<Hash32>(request->hash(), "hash");
  if (!asked) return status_of(asked.error());
  const auto answer = desk_.ask<node::BlockWhy>(
      [hash = *asked](node::Node& node, Now) { return node::why(node.chain(), hash); });
  if (!answer) return status_of(answer.error());
  const node::BlockWhy& why = *answer;
  response->set_standing(standing_of(why.standing));
  response->set_rule(why.rule);
  to_message(why.head, *response->mutable_head());
  if (why.standing == node::Standing::unknown) return Status::OK;
  response->set_number(why.block.number);
  response->set_parent(text_of(why.parent.view()));
  for (const chain::RankedHead& head : why.rivals) to_message(head, *response->add_rivals());
  response->set_cut(why.cut);
  if (why.fork_point) {
    response->set_fork_point(text_of(why.fork_point->hash.view()));
    response->set_fork_point_number(why.fork_point->number);
  }
  return Status::OK;
}

Status ControlService::Stop(Context* /*context*/, const StopRequest* /*request*/,
                            StopResponse* /*response*/) {
  ++calls_;
  config_.stop();
  return Status::OK;
}

}  // namespace ethnet::control
