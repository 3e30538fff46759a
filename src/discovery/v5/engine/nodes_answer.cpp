#include "nodes_answer.hpp"

#include <algorithm>

namespace ethnet::discv5 {

std::vector<Nodes> pack_nodes(const RequestId& id, std::span<const ByteView> records) {
  const Nodes empty{.request_id = id, .total = kMaxNodesTotal, .records = {}};
  std::vector<Nodes> out{empty};
  for (const ByteView record : records) {
    Nodes longer = out.back();
    if (!longer.records.full()) longer.records.push_back(record);
    const bool fits = !out.back().records.full() && encoded_size(longer) <= kPlainRoom;
    if (fits) {
      out.back() = longer;
      continue;
    }
    if (out.size() == kMaxNodesTotal) break;
    out.push_back(empty);
    out.back().records.push_back(record);
  }
  for (Nodes& message : out) message.total = out.size();
  return out;
}

NodesVerdict NodesAnswer::add(const Nodes& message) {
  if (messages_ > 0 && message.total != total_) return NodesVerdict::other_total;
  const auto records = message.records.view();
  const auto is_there = [&](const Bytes& record) { return equal(record, records.front()); };
  if (!records.empty() && std::ranges::any_of(records_, is_there)) return NodesVerdict::repeated;
  total_ = message.total;
  ++messages_;
  for (const ByteView record : records) {
    if (records_.size() == kMaxAnswerRecords) {
      ++left_out_;
    } else {
      records_.push_back(to_bytes(record));
    }
  }
  return messages_ == std::min<std::uint64_t>(total_, kMaxNodesTotal) ? NodesVerdict::complete
                                                                      : NodesVerdict::more;
}

}  // namespace ethnet::discv5
