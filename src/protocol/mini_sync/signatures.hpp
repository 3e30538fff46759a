// The producer's signature beside a header (docs/spec/mini-sync.md): right when the key that made
// it is the beneficiary's. Recovering a key takes tens of microseconds, so the judgement leaves as
// a Job; what is here makes its work and reads its output. Pure. Threading: work may run anywhere.
#pragma once

#include <functional>
#include <vector>

#include <base/bytes.hpp>

#include "checked_header.hpp"

namespace ethnet::mini_sync {

[[nodiscard]] bool any_signed(const std::vector<CheckedHeader>& headers);
// Work of a Job that judges every signature among these; it owns all that it needs.
[[nodiscard]] std::function<Bytes()> judge_work(const std::vector<CheckedHeader>& headers);
// Whether the output of that work says that all are right.
[[nodiscard]] bool all_right(ByteView output);

}  // namespace ethnet::mini_sync
