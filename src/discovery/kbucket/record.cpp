#include "record.hpp"

#include <string_view>
#include <utility>

namespace ethnet::kbucket {
namespace {

// Output of the work: for each record its node id, zeros where the signature is wrong. Nobody knows
// a key whose Keccak is zero.
constexpr std::size_t kOutputBytes = 32;

}  // namespace

NodeRecord::NodeRecord(Private, const NodeId& id, const Enr& enr, const Endpoint& endpoint)
    : id_{id}, seq_{enr.seq()}, endpoint_{endpoint}, encoded_{to_bytes(enr.encoded())} {}

std::optional<Endpoint> endpoint_of(const Enr& enr, RecordPort port) {
  const std::string_view key = port == RecordPort::quic ? "quic" : "udp";
  if (auto v4 = enr.endpoint_v4(key)) return v4;
  return enr.endpoint_v6(key);
}

RecordPtr NodeRecord::of(const VerifiedEnr& enr, RecordPort port) {
  const auto endpoint = endpoint_of(enr.record(), port);
  if (!endpoint) return nullptr;
  return std::make_shared<const NodeRecord>(Private{}, enr.node_id(), enr.record(), *endpoint);
}

RecordPtr NodeRecord::of(const std::shared_ptr<const VerifiedEnr>& enr, RecordPort port) {
  CHECK(enr != nullptr);
  const auto endpoint = endpoint_of(enr->record(), port);
  if (!endpoint) return nullptr;
  auto out = std::make_shared<NodeRecord>(Private{}, enr->node_id(), enr->record(), *endpoint);
  out->verified_ = enr;
  return out;
}

crypto::PublicKey NodeRecord::public_key() const {
  if (verified_ != nullptr) return verified_->public_key();
  const auto enr = Enr::decode(encoded_);
  CHECK(enr.has_value());
  const auto bytes = enr->find("secp256k1");
  CHECK(bytes.has_value());
  const auto key = crypto::PublicKey::parse(*bytes);
  CHECK(key.has_value());  // its signature was verified by it
  return *key;
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
    out[i].id = id;
    const auto enr = Enr::decode(records_[i]);
    CHECK(enr.has_value());
    const auto endpoint = endpoint_of(*enr, port_);
    if (!endpoint) {
      out[i].verdict = RecordVerdict::no_endpoint;
      continue;
    }
    out[i].verdict = RecordVerdict::right;
    out[i].record = std::make_shared<const NodeRecord>(NodeRecord::Private{}, id, *enr, *endpoint);
  }
  return out;
}

}  // namespace ethnet::kbucket
