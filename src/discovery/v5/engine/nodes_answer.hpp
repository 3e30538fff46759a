// NODES messages: ours, packed so that each fits into a packet, and a peer's, as they come in
// (attack 31). Values; no signatures are judged here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <base/bytes.hpp>

#include "../wire/message.hpp"
#include "limits.hpp"

namespace ethnet::discv5 {

// What an ordinary packet has beside its plaintext: masking IV, header, source, tag.
inline constexpr std::size_t kOrdinaryOverhead = 16 + 23 + 32 + 16;
// The longest plaintext of an ordinary packet.
inline constexpr std::size_t kPlainRoom = kMaxDiscv5Packet - kOrdinaryOverhead;

// One at least; of more than kMaxNodesTotal messages the rest is left out. Views of `records`.
[[nodiscard]] std::vector<Nodes> pack_nodes(const RequestId& id, std::span<const ByteView> records);

enum class NodesVerdict : std::uint8_t {
  more,
  complete,
  other_total,  // than that of the messages before; ignored
  repeated,     // what it begins with is there already; ignored
};

class NodesAnswer {
 public:
  // Whatever is said, an answer has no more than kMaxNodesTotal messages and kMaxAnswerRecords
  // records; further ones are left out.
  NodesVerdict add(const Nodes& message);

  [[nodiscard]] bool empty() const { return messages_ == 0; }
  // The node may know more than it could say.
  [[nodiscard]] bool full() const {
    return records_.size() == kMaxAnswerRecords || messages_ == kMaxNodesTotal;
  }
  [[nodiscard]] const std::vector<Bytes>& records() const { return records_; }
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  std::uint64_t total_ = 0;  // as the first message says
  std::uint8_t messages_ = 0;
  std::size_t left_out_ = 0;
  std::vector<Bytes> records_;
};

}  // namespace ethnet::discv5
