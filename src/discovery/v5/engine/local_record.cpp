#include "local_record.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace ethnet::discv5 {
namespace {

std::vector<std::pair<Bytes, Bytes>> pairs_of(const Enr& record) {
  std::vector<std::pair<Bytes, Bytes>> out;
  record.for_each_pair(
      [&](ByteView key, ByteView value) { out.emplace_back(to_bytes(key), to_bytes(value)); });
  return out;
}

}  // namespace

bool says_the_same(const Enr& a, const Enr& b) { return pairs_of(a) == pairs_of(b); }

kbucket::Scope scope_named(const Enr& record) {
  const auto of = [](const std::optional<IpAddress>& ip) {
    return ip ? kbucket::scope_of(*ip) : kbucket::Scope::special;
  };
  return std::max(of(record.ip()), of(record.ip6()));
}

namespace {

std::shared_ptr<const VerifiedEnr> signed_if_new(const EnrBuilder& builder,
                                                 const VerifiedEnr& current,
                                                 const crypto::SecretKey& key) {
  auto record = builder.sign(key);
  if (!record || says_the_same(record->record(), current.record())) return nullptr;
  return std::make_shared<const VerifiedEnr>(*std::move(record));
}

}  // namespace

std::shared_ptr<const VerifiedEnr> record_at(const VerifiedEnr& current,
                                             const crypto::SecretKey& key,
                                             const Endpoint& seen_at) {
  EnrBuilder builder{current.record().seq() + 1, current.record()};
  builder.ip(seen_at.ip);
  if (seen_at.ip.is_v4()) {
    builder.udp(seen_at.port);
  } else {
    builder.udp6(seen_at.port);
  }
  return signed_if_new(builder, current, key);
}

std::shared_ptr<const VerifiedEnr> record_without(const VerifiedEnr& current,
                                                  const crypto::SecretKey& key, bool v6) {
  EnrBuilder builder{current.record().seq() + 1, current.record()};
  builder.erase(v6 ? "ip6" : "ip").erase(v6 ? "udp6" : "udp");
  return signed_if_new(builder, current, key);
}

}  // namespace ethnet::discv5
