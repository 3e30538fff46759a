// The signed node record (EIP-778) that comes in a Hello: whose is it? Verification costs a
// signature check and leaves the machine as a Job.
#pragma once

#include <functional>

#include <base/bytes.hpp>

namespace ethnet::session {

// Output: the id of the node that signed the record (32 bytes), or nothing when it is no good.
[[nodiscard]] std::function<Bytes()> record_work(Bytes record);

}  // namespace ethnet::session
