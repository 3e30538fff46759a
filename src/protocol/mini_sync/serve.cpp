#include "serve.hpp"

#include <algorithm>

namespace ethnet::mini_sync {
namespace {

struct Origin {
  chain::BlockRef block;
  bool found = false;
};

// Each hash of the locator is looked up once, each header of the answer once, and the head.
static_assert(kMaxLocatorHashes + kMaxHeadersPerResponse + 1 <= kMaxServeLookups);

Origin find_origin(const chain::ChainView& chain, const GetHeaders& request) {
  for (const Hash32& hash : request.locator) {
    const auto info = chain.find(hash);
    if (!info) continue;
    if (request.reverse || info->canonical) return {{hash, info->number}, true};
  }
  return {};
}

// Fills a response until one of the limits says stop.
class Collector {
 public:
  Collector(const GetHeaders& request, std::size_t most_bytes, std::uint64_t floor)
      : amount_{std::min<std::uint64_t>(request.amount, kMaxHeadersPerResponse)},
        most_bytes_{most_bytes},
        floor_{floor} {
    response_.request_id = request.request_id;
  }

  [[nodiscard]] bool wants_more() const { return response_.items.size() < amount_; }

  // False when the header is not to be had or does not fit any more.
  bool add(const std::optional<chain::ServedHeader>& found) {
    if (!found || found->block.number < floor_) return false;
    const bool fits = bytes_ + found->header.size() + kItemOverhead <= most_bytes_;
    if (!fits && !response_.items.empty()) return false;
    bytes_ += found->header.size() + kItemOverhead;
    response_.items.push_back({to_bytes(found->header), to_bytes(found->signature)});
    return true;
  }

  [[nodiscard]] Headers take() { return std::move(response_); }

 private:
  // Signature and list headers, at most.
  static constexpr std::size_t kItemOverhead = kSignatureBytes + 8;

  std::uint64_t amount_;
  std::size_t most_bytes_;
  std::uint64_t floor_;
  std::size_t bytes_ = 0;
  Headers response_;
};

void collect_forward(const chain::ChainView& chain, std::uint64_t origin, std::uint64_t step,
                     Collector& out) {
  const std::uint64_t head = chain.head().number;
  std::uint64_t number = origin;
  while (out.wants_more() && number < head && head - number >= step) {
    number += step;
    if (!out.add(chain.canonical_header(number))) return;
  }
}

void collect_reverse(const chain::ChainView& chain, const chain::BlockRef& origin,
                     std::uint64_t step, Collector& out) {
  chain::BlockRef at = origin;
  std::uint64_t number = origin.number;
  while (out.wants_more()) {
    const auto found = chain.ancestor_header(at.hash, number);
    if (!out.add(found) || number < step) return;
    at = found->block;
    number -= step;
  }
}

}  // namespace

Headers serve_headers(const chain::ChainView& chain, const GetHeaders& request,
                      std::size_t most_bytes, std::uint64_t floor) {
  Collector out{request, most_bytes, floor};
  const Origin origin = find_origin(chain, request);
  const bool step_overflows = request.skip == UINT64_MAX;
  if (!origin.found) return out.take();
  if (request.reverse) {
    // A step that no chain can hold leaves the origin alone.
    collect_reverse(chain, origin.block, step_overflows ? UINT64_MAX : request.skip + 1, out);
  } else if (!step_overflows) {
    collect_forward(chain, origin.block.number, request.skip + 1, out);
  }
  return out.take();
}

std::vector<chain::BlockRef> make_locator(const chain::ChainView& chain) {
  constexpr std::size_t kConsecutive = 16;
  const std::uint64_t lowest = chain.earliest().number;
  std::vector<chain::BlockRef> locator{chain.head()};
  std::uint64_t number = locator.front().number;
  std::uint64_t step = 1;
  while (number > lowest && locator.size() + 1 < kMaxLocatorHashes) {
    if (locator.size() >= kConsecutive) step *= 2;
    number = number - lowest > step ? number - step : lowest;
    const auto hash = chain.canonical_hash(number);
    if (!hash) break;
    locator.push_back({*hash, number});
  }
  return locator;
}

}  // namespace ethnet::mini_sync
