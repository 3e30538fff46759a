#include "stream_buffers.hpp"

#include <algorithm>

namespace ethnet::quic {

std::size_t SendBuffer::append(ByteView bytes, std::size_t limit) {
  if (finished_ || buffered() >= limit) return 0;
  bytes = bytes.first(std::min(bytes.size(), limit - buffered()));
  const std::size_t accepted = bytes.size();
  while (!bytes.empty()) {
    if (chunks_.empty() || chunks_.back().size() == chunks_.back().capacity()) {
      chunks_.emplace_back();
      chunks_.back().reserve(std::clamp(bytes.size(), kMinChunk, kMaxChunk));
      memory_ += chunks_.back().capacity();
    }
    Bytes& chunk = chunks_.back();
    const std::size_t n = std::min(bytes.size(), chunk.capacity() - chunk.size());
    ethnet::append(chunk, bytes.first(n));
    bytes = bytes.subspan(n);
    end_ += n;
  }
  return accepted;
}

ByteView SendBuffer::unsent() const {
  std::uint64_t offset = base_;
  for (const Bytes& chunk : chunks_) {
    if (sent_ < offset + chunk.size()) {
      return ByteView{chunk}.subspan(static_cast<std::size_t>(sent_ - offset));
    }
    offset += chunk.size();
  }
  return {};
}

void SendBuffer::acknowledge(std::uint64_t offset) {
  acknowledged_ = std::max(acknowledged_, offset);
  while (!chunks_.empty() && base_ + chunks_.front().size() <= offset) {
    base_ += chunks_.front().size();
    memory_ -= chunks_.front().capacity();
    chunks_.pop_front();
  }
}

void ReceiveBuffer::consume(std::size_t n) {
  CHECK(n <= readable().size());
  read_ += n;
  if (read_ == bytes_.size()) {
    // An idle stream costs nothing.
    bytes_ = Bytes{};
    read_ = 0;
  } else if (read_ > bytes_.size() / 2) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(read_));
    read_ = 0;
  }
}

std::size_t ReceiveBuffer::discard() {
  const std::size_t dropped = readable().size();
  bytes_ = Bytes{};
  read_ = 0;
  return dropped;
}

}  // namespace ethnet::quic
