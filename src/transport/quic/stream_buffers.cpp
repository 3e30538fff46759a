#include "stream_buffers.hpp"

#include <algorithm>
#include <utility>

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
  seek_unsent();
  return accepted;
}

// The last chunk may still grow: it is left only for a next one.
void SendBuffer::seek_unsent() {
  while (next_ + 1 < chunks_.size() && sent_ >= next_base_ + chunks_[next_].size()) {
    next_base_ += chunks_[next_].size();
    ++next_;
  }
}

void SendBuffer::mark_sent(std::size_t n) {
  sent_ += n;
  seek_unsent();
}

ByteView SendBuffer::unsent() const {
  if (chunks_.empty()) return {};
  return ByteView{chunks_[next_]}.subspan(static_cast<std::size_t>(sent_ - next_base_));
}

void SendBuffer::acknowledge(std::uint64_t offset) {
  acknowledged_ = std::max(acknowledged_, offset);
  std::size_t gone = 0;
  while (gone < chunks_.size() && base_ + chunks_[gone].size() <= offset) {
    base_ += chunks_[gone].size();
    memory_ -= chunks_[gone].capacity();
    ++gone;
  }
  if (gone == 0) return;
  if (gone == chunks_.size()) {
    chunks_ = std::vector<Bytes>{};  // an idle stream costs nothing
  } else {
    chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(gone));
  }
  if (next_ < gone) {
    next_ = 0;
    next_base_ = base_;
  } else {
    next_ -= gone;
  }
}

void ReceiveBuffer::consume(std::size_t n) {
  CHECK(n <= readable().size());
  read_ += n;
  if (read_ == bytes_.size()) {
    if (bytes_.capacity() < kWorthKeeping) {
      bytes_ = Bytes{};  // an idle stream costs nothing
    } else {
      bytes_.clear();
    }
    read_ = 0;
  } else if (read_ > bytes_.size() / 2) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(read_));
    read_ = 0;
  }
}

void ReceiveBuffer::trim() {
  if (!std::exchange(busy_, false) && bytes_.empty()) bytes_ = Bytes{};
}

std::size_t ReceiveBuffer::discard() {
  const std::size_t dropped = readable().size();
  bytes_ = Bytes{};
  read_ = 0;
  return dropped;
}

}  // namespace ethnet::quic
