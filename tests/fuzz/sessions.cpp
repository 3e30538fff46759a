// What a peer says on the control stream and on the streams of capabilities.
#include <protocol/mini_sync/messages.hpp>
#include <session/control.hpp>
#include <session/id_proof.hpp>
#include <session/mux.hpp>

#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

// The bytes of one stream, a few at a time, and nothing else.
class OneStream final : public transport::Transport {
 public:
  explicit OneStream(ByteView bytes) : rest_{bytes} {}

  ByteView read(transport::ConnHandle, transport::StreamId) override {
    return rest_.first(std::min<std::size_t>(rest_.size(), 7));
  }
  void consume(transport::ConnHandle, transport::StreamId, std::size_t n) override {
    rest_ = rest_.subspan(n);
  }
  bool at_end(transport::ConnHandle, transport::StreamId) const override { return false; }

  Result<transport::ConnHandle> dial(Now, const Endpoint&) override {
    return fail(transport::ConnError::connection_limit);
  }
  Result<transport::StreamId> open_stream(transport::ConnHandle, transport::StreamKind) override {
    return fail(transport::ConnError::stream_limit);
  }
  std::size_t write(transport::ConnHandle, transport::StreamId, ByteView) override { return 0; }
  void finish(transport::ConnHandle, transport::StreamId) override {}
  void reset(transport::ConnHandle, transport::StreamId, std::uint64_t) override {}
  void stop(transport::ConnHandle, transport::StreamId, std::uint64_t) override {}
  void close(Now, transport::ConnHandle, std::uint64_t, std::string_view) override {}
  Result<void> export_key(transport::ConnHandle, std::string_view, MutByteView) override {
    return fail(transport::ConnError::export_unavailable);
  }
  std::size_t memory_bytes(transport::ConnHandle) const override { return 0; }
  transport::ConnStats stats(transport::ConnHandle) const override { return {}; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

ByteView body_of(const Bytes& frame) { return ByteView{frame}.subspan(session::kFrameHeaderBytes); }

void decode_body(session::FrameType type, ByteView body) {
  using session::FrameType;
  switch (type) {
    case FrameType::claim:
      // Another version's claim is not read further.
      if (const auto claim = session::decode_claim(body);
          claim && claim->version == session::kProtocolVersion) {
        CHECK(equal(body_of(session::encode_frame(*claim)), body));
      }
      break;
    case FrameType::proof:
      if (const auto proof = session::decode_proof(body)) {
        CHECK(equal(body_of(session::encode_frame(*proof)), body));
      }
      break;
    case FrameType::hello:
      run_hello(body);
      break;
    case FrameType::activate:
      if (const auto activate = session::decode_activate(body)) {
        CHECK(equal(body_of(session::encode_frame(*activate)), body));
      }
      break;
    case FrameType::disconnect:
      (void)session::decode_disconnect(body);
      break;
    case FrameType::ping:
    case FrameType::pong:
      break;
  }
}

template <class Message>
void expect_same(const Result<Message>& message, ByteView payload) {
  if (message) CHECK(equal(mini_sync::encode(*message), payload));
}

}  // namespace

void run_control_frames(ByteView input) {
  session::FrameReader reader;
  while (!input.empty()) {
    const auto taken = reader.feed(input.first(std::min<std::size_t>(input.size(), 11)));
    if (!taken) return;
    CHECK(*taken > 0);
    input = input.subspan(*taken);
    const auto frame = reader.take();
    if (!frame) continue;
    CHECK(frame->body.size() <= session::max_body_bytes(frame->type));
    decode_body(frame->type, frame->body);
  }
}

void run_hello(ByteView input) {
  const auto hello = session::decode_hello(input);
  if (!hello) return;
  CHECK(hello->client.size() <= 4 * session::kMaxClientBytes);
  CHECK(hello->capabilities.size() <= session::kMaxCapabilities);
  for (const char c : hello->client) CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  // What we made of it can be said again, and is then understood as it was; the client's name is
  // not: what was escaped once would be escaped once more.
  session::Hello again = *hello;
  again.client = "name";
  CHECK(session::decode_hello(body_of(session::encode_frame(again))) == again);
}

// A claim of 32 bytes of id, then a proof: no bytes make a stranger somebody whose key he has not.
void run_id_proof(ByteView input) {
  if (input.size() < 32 + session::kSignatureBytes) return;
  ByteArray<32> id{};
  copy_into(id, input.first(32));
  session::Proof proof;
  copy_into(proof.signature, input.subspan(32, session::kSignatureBytes));
  const auto digest = session::proof_digest(transport::Side::dialler, {}, NodeId{id}, NodeId{});
  const session::ProofVerifier verifier{digest, NodeId{id}, proof};
  const Bytes output = verifier.work()();
  CHECK(output.empty() || output.size() == 32);
  const auto peer = verifier.finish(output);
  if (peer) CHECK(peer->id() == NodeId{id});
  (void)verifier.finish(input.first(input.size() % 64));
}

// One capability's stream: its name, then payloads behind their length.
void run_envelope(ByteView input) {
  const std::array<session::Capability, 2> agreed{{{"das-lite", 1 << 16}, {"mini-sync", 1 << 16}}};
  const session::MuxLimits limits{0, 0, 256 * 1024, 16};
  session::MuxReader reader{agreed, limits};
  OneStream stream{input};
  std::vector<session::Delivered> out;
  while (!stream.empty()) {
    const std::size_t before = out.size();
    if (!reader.read(stream, {}, 3, out)) return;
    std::size_t bytes = 0;
    for (const auto& delivered : out) {
      CHECK(delivered.lane < agreed.size());
      bytes += delivered.payload.size();
    }
    CHECK(bytes <= input.size());
    // A payload that is not whole may reserve its first piece ahead of what has come.
    CHECK(reader.memory_bytes() <= 2 * input.size() + 2 * session::kFirstReserveBytes);
    if (out.size() == before) return;
    for (; !out.empty(); out.pop_back()) {
      (void)reader.release(out.back().lane, out.back().payload.size());
    }
  }
}

void run_mini_sync(ByteView input) {
  const auto code = mini_sync::peek_code(input);
  if (!code) return;
  switch (*code) {
    case mini_sync::Code::status:
      expect_same(mini_sync::decode_status(input), input);
      break;
    case mini_sync::Code::get_headers:
      expect_same(mini_sync::decode_get_headers(input), input);
      break;
    case mini_sync::Code::headers: {
      const auto headers = mini_sync::decode_headers(input, 64);
      if (headers) {
        CHECK(headers->items.size() <= 64);
        CHECK(mini_sync::peek_request_id(input) == headers->request_id);
      }
      expect_same(headers, input);
      break;
    }
    case mini_sync::Code::new_block_hashes:
      expect_same(mini_sync::decode_new_block_hashes(input), input);
      break;
    case mini_sync::Code::new_block:
      expect_same(mini_sync::decode_new_block(input), input);
      break;
  }
}

}  // namespace ethnet::fuzz
