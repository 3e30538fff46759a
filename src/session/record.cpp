#include "record.hpp"

#include <utility>

#include <types/enr.hpp>

namespace ethnet::session {

std::function<Bytes()> record_work(Bytes record) {
  return [encoded = std::move(record)]() -> Bytes {
    const auto enr = VerifiedEnr::decode(encoded);
    if (!enr) return {};
    return to_bytes(enr->node_id().view());
  };
}

}  // namespace ethnet::session
