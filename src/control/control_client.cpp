#include "control_client.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <control.grpc.pb.h>
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

namespace ethnet::control {
namespace {

constexpr std::size_t kSentPieceBytes = 1024 * 1024;

std::string text_of(ByteView bytes) {
  std::string out(bytes.size(), '\0');
  std::ranges::transform(bytes, out.begin(), [](std::byte b) { return static_cast<char>(b); });
  return out;
}

Hash32 hash_of(const std::string& bytes) {
  Hash32 out;
  if (bytes.size() != out.bytes.size()) throw ControlError{"the node's answer makes no sense"};
  std::ranges::copy(text_bytes(bytes), out.bytes.begin());
  return out;
}

Explanation::Head head_of(const BlockExplanation::Head& head) {
  return {.hash = hash_of(head.hash()),
          .number = head.number(),
          .score = head.score(),
          .why = head.why()};
}

Explanation::Standing standing_of(BlockExplanation::Standing standing) {
  if (standing == BlockExplanation::CANONICAL) return Explanation::Standing::canonical;
  if (standing == BlockExplanation::SIDE) return Explanation::Standing::side;
  return Explanation::Standing::unknown;
}

}  // namespace

class ControlClient::Impl {
 public:
  explicit Impl(std::string path) : path_{std::move(path)} {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);  // it is our own node
    // The name is a file's; without this the server would be asked for a host of it.
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
    stub_ = Control::NewStub(
        grpc::CreateCustomChannel("unix:" + path_, grpc::InsecureChannelCredentials(), arguments));
  }

  [[nodiscard]] Control::Stub& stub() { return *stub_; }
  void check(const grpc::Status& status) const {
    if (status.ok()) return;
    if (status.error_message().starts_with("failed to connect") ||
        status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      throw ControlError{
          fmt::format("no node answers at {}: is it running, and is this its data "
                      "directory?",
                      path_)};
    }
    throw ControlError{status.error_message()};
  }

 private:
  std::string path_;
  std::unique_ptr<Control::Stub> stub_;
};

ControlClient::ControlClient(const std::string& path) : impl_{std::make_unique<Impl>(path)} {}
ControlClient::~ControlClient() = default;

bool ControlClient::add_peer(const std::string& peer) {
  grpc::ClientContext context;
  AddPeerRequest request;
  request.set_peer(peer);
  AddPeerResponse response;
  impl_->check(impl_->stub().AddPeer(&context, request, &response));
  return response.added();
}

bool ControlClient::remove_peer(const std::string& peer) {
  grpc::ClientContext context;
  RemovePeerRequest request;
  request.set_peer(peer);
  RemovePeerResponse response;
  impl_->check(impl_->stub().RemovePeer(&context, request, &response));
  return response.removed();
}

Published ControlClient::publish(ByteView data, std::uint32_t chunk_size) {
  grpc::ClientContext context;
  PublishResponse response;
  const auto writer = impl_->stub().Publish(&context, &response);
  PublishRequest piece;
  piece.set_chunk_size(chunk_size);
  do {
    const ByteView next = data.first(std::min(data.size(), kSentPieceBytes));
    piece.set_data(text_of(next));
    data = data.subspan(next.size());
  } while (writer->Write(piece) && !data.empty());
  writer->WritesDone();
  impl_->check(writer->Finish());
  return {.data_id = hash_of(response.data_id()),
          .total_chunks = response.total_chunks(),
          .chunk_size = response.chunk_size(),
          .total_bytes = response.total_bytes()};
}

Sampled ControlClient::sample(const Hash32& data_id, std::uint32_t k,
                              const std::function<void(const Sampled&)>& on_progress) {
  grpc::ClientContext context;
  SampleRequest request;
  request.set_data_id(text_of(data_id.view()));
  request.set_k(k);
  const auto reader = impl_->stub().Sample(&context, request);
  SampleProgress message;
  Sampled newest;
  while (reader->Read(&message)) {
    newest = {
        .requested = message.requested(),
        .received = message.received(),
        .confidence = message.has_confidence() ? std::optional{message.confidence()} : std::nullopt,
        .fooled_probability = message.fooled_probability(),
        .done = message.done()};
    on_progress(newest);
  }
  impl_->check(reader->Finish());
  if (!newest.done) throw ControlError{"the node's answer has no verdict"};
  return newest;
}

void ControlClient::get(const Hash32& data_id, const OnChunks& on_chunks, const OnData& on_data) {
  grpc::ClientContext context;
  GetRequest request;
  request.set_data_id(text_of(data_id.view()));
  const auto reader = impl_->stub().Get(&context, request);
  GetResponse message;
  while (reader->Read(&message)) {
    if (message.has_progress()) {
      on_chunks(message.progress().received(), message.progress().total());
    } else {
      on_data(text_bytes(message.data()));
    }
  }
  impl_->check(reader->Finish());
}

Explanation ControlClient::explain(const Hash32& block) {
  grpc::ClientContext context;
  ExplainBlockRequest request;
  request.set_hash(text_of(block.view()));
  BlockExplanation response;
  impl_->check(impl_->stub().ExplainBlock(&context, request, &response));
  Explanation out;
  out.standing = standing_of(response.standing());
  out.rule = response.rule();
  out.head = head_of(response.head());
  if (out.standing == Explanation::Standing::unknown) return out;
  out.number = response.number();
  out.parent = hash_of(response.parent());
  for (const auto& head : response.rivals()) out.rivals.push_back(head_of(head));
  out.cut = response.cut();
  if (!response.fork_point().empty()) out.fork_point = hash_of(response.fork_point());
  out.fork_point_number = response.fork_point_number();
  return out;
}

void ControlClient::stop() {
  grpc::ClientContext context;
  StopResponse response;
  impl_->check(impl_->stub().Stop(&context, StopRequest{}, &response));
}

}  // namespace ethnet::control
