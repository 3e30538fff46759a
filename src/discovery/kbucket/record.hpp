// NodeRecord: what a node said about itself, with a signature that was checked, as tables and
// look-ups keep and pass it on. Only a checker makes one: of a VerifiedEnr, or from the output of a
// Job that checked a batch (docs/spec/discv-lite.md): recovering what a signature proves takes
// 50 µs, too much for the thread that answers peers.
// Threading: immutable; the work of a batch may run anywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <base/bytes.hpp>
#include <crypto/secp256k1.hpp>
#include <types/endpoint.hpp>
#include <types/enr.hpp>
#include <types/hash.hpp>

namespace ethnet::kbucket {

// Which address of a record counts: where sessions are opened ("quic"), or where discv5 and discv4
// are spoken ("udp"). IPv4 before IPv6.
enum class RecordPort : std::uint8_t { quic, udp };
[[nodiscard]] std::optional<Endpoint> endpoint_of(const Enr& enr, RecordPort port);

class NodeRecord {
  struct Private {};  // makes the constructor ours alone, std::make_shared included

 public:
  NodeRecord(Private, const NodeId& id, const Enr& enr, const Endpoint& endpoint);

  // Null where the record names no such address.
  [[nodiscard]] static std::shared_ptr<const NodeRecord> of(const VerifiedEnr& enr,
                                                            RecordPort port = RecordPort::quic);
  // The same, and verified() is it.
  [[nodiscard]] static std::shared_ptr<const NodeRecord> of(
      const std::shared_ptr<const VerifiedEnr>& enr, RecordPort port);

  [[nodiscard]] const NodeId& id() const { return id_; }
  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] const Bytes& encoded() const { return encoded_; }
  // Null where a Job judged it.
  [[nodiscard]] const std::shared_ptr<const VerifiedEnr>& verified() const { return verified_; }
  // Decompresses the key (10 µs) where a Job judged the record.
  [[nodiscard]] crypto::PublicKey public_key() const;

 private:
  friend class RecordBatch;
  NodeId id_;
  std::uint64_t seq_ = 0;
  Endpoint endpoint_;
  Bytes encoded_;
  std::shared_ptr<const VerifiedEnr> verified_;
};
using RecordPtr = std::shared_ptr<const NodeRecord>;

enum class RecordVerdict : std::uint8_t { right, malformed, no_endpoint };

// Records that wait for the judgement of their signatures.
class RecordBatch {
 public:
  RecordBatch() = default;
  explicit RecordBatch(RecordPort port) : port_{port} {}
  // Form only; false when it is not that of a record, which is then left out.
  bool add(ByteView encoded);
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  // Work of a Job that judges them; it owns all that it needs.
  [[nodiscard]] std::function<Bytes()> work() const;

  struct Judged {
    RecordVerdict verdict = RecordVerdict::malformed;
    NodeId id;         // where its signature is right
    RecordPtr record;  // where the verdict is right
  };
  // What the output of that work says, in the order in which they were added.
  [[nodiscard]] std::vector<Judged> judged(ByteView output) const;

 private:
  RecordPort port_ = RecordPort::quic;
  std::vector<Bytes> records_;
};

}  // namespace ethnet::kbucket
