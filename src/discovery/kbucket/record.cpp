#include "record.hpp"

#include <utility>

namespace ethnet::kbucket {
namespace {

// Output of the work: for each record its node id, zeros where the signature is wrong. Nobody knows
// a key whose Keccak is zero.
constexpr std::size_t kOutputBytes = 32;

}  // namespace

NodeRecord::NodeRecord(Private, const NodeId& id, const Enr& enr, const Endpoint& endpoint)
    : id_{id}, seq_{enr.seq()}, endpoint_{endpoint}, encoded_{to_bytes(enr.encoded())} {}

std::optional<Endpoint> session_endpoint(const Enr& enr) {
  if (auto v4 = enr.endpoint_v4("quic")) return v4;
  return enr.endpoint_v6("quic");
}

RecordPtr NodeRecord::of(const VerifiedEnr& enr) {
  const auto endpoint = session_endpoint(enr.record());
  if (!endpoint) return nullptr;
  return std::make_shared<const NodeRecord>(Private{}, enr.node_id(), enr.record(), *endpoint);
}

bool RecordBatch::add(ByteView encoded) {
  if (!Enr::decode(encoded)) return false;
  records_.push_back(to_bytes(encoded));
  return true;
}

std::function<Bytes()> RecordBatch::work() const {
  return [shared = std::make_shared<const std::vector<Bytes>>(records_)] {
    Bytes out;
    out.reserve(shared->size() * kOutputBytes);
    for (const Bytes& record : *shared) {
      const auto enr = VerifiedEnr::decode(record);
      append(out, enr ? enr->node_id().view() : NodeId{}.view());
    }
    return out;
  };
}

std::vector<RecordBatch::Judged> RecordBatch::judged(ByteView output) const {
  std::vector<Judged> out(records_.size());
  if (output.size() != records_.size() * kOutputBytes) return out;  // work that was cut short
  for (std::size_t i = 0; i < records_.size(); ++i) {
    NodeId id;
    copy_into(id.bytes, output.subspan(i * kOutputBytes, kOutputBytes));
    if (id == NodeId{}) continue;
    const auto enr = Enr::decode(records_[i]);
    CHECK(enr.has_value());
    const auto endpoint = session_endpoint(*enr);
    if (!endpoint) {
      out[i].verdict = RecordVerdict::no_endpoint;
      continue;
    }
    out[i] = {RecordVerdict::right,
              std::make_shared<const NodeRecord>(NodeRecord::Private{}, id, *enr, *endpoint)};
  }
  return out;
}

}  // namespace ethnet::kbucket
