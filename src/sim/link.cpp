#include "link.hpp"

#include <algorithm>

namespace ethnet::sim {
namespace {

Duration line_time(const LinkOptions& options, std::size_t bytes) {
  if (options.bits_per_second == 0) return {};
  return nanoseconds(
      static_cast<std::int64_t>(bytes * 8 * 1'000'000'000ULL / options.bits_per_second));
}

}  // namespace

std::string_view to_string(DropReason reason) {
  switch (reason) {
    case DropReason::partition:
      return "partition";
    case DropReason::loss:
      return "loss";
    case DropReason::burst:
      return "burst";
    case DropReason::queue:
      return "queue";
    case DropReason::mtu:
      return "mtu";
    case DropReason::no_route:
      return "no route";
    case DropReason::host_down:
      return "host down";
    case DropReason::receive_buffer:
      return "receive buffer";
  }
  return "?";
}

Link::Fate Link::send(Instant now, std::size_t bytes) {
  Fate fate;
  fate.dropped = lose(now, bytes);
  if (fate.dropped) return fate;
  const Instant sent = leave_queue(now, bytes);
  fate.count = prng_.chance_ppm(options_.duplicate_ppm) ? 2 : 1;
  for (std::size_t i = 0; i < fate.count; ++i) fate.copies[i] = arrive(sent, fate.reordered);
  return fate;
}

std::optional<DropReason> Link::lose(Instant now, std::size_t bytes) {
  if (bytes > options_.mtu_bytes) return DropReason::mtu;
  in_burst_ = in_burst_ ? !prng_.chance_ppm(options_.burst_end_ppm)
                        : prng_.chance_ppm(options_.burst_begin_ppm);
  if (in_burst_ && prng_.chance_ppm(options_.burst_loss_ppm)) return DropReason::burst;
  if (prng_.chance_ppm(options_.loss_ppm)) return DropReason::loss;
  if (options_.bits_per_second > 0 && line_free_ > now &&
      line_free_ - now + line_time(options_, bytes) > line_time(options_, options_.queue_bytes)) {
    return DropReason::queue;
  }
  return std::nullopt;
}

Instant Link::leave_queue(Instant now, std::size_t bytes) {
  line_free_ = std::max(line_free_, now) + line_time(options_, bytes);
  return line_free_;
}

Link::Copy Link::arrive(Instant sent, bool& reordered) {
  Instant arrival = sent + options_.latency + up_to(options_.jitter);
  if (prng_.chance_ppm(options_.tail_ppm)) arrival = arrival + up_to(options_.tail);
  const bool corrupt = prng_.chance_ppm(options_.corrupt_ppm);
  if (prng_.chance_ppm(options_.reorder_ppm)) {
    reordered = true;
    return {arrival + up_to(options_.reorder_by), corrupt};
  }
  if (!options_.keeps_order) return {arrival, corrupt};
  // Jitter alone keeps the order, as one path through one queue does.
  last_arrival_ = std::max(last_arrival_, arrival);
  return {last_arrival_, corrupt};
}

Duration Link::up_to(Duration limit) { return nanoseconds(prng_.between(0, limit.ns)); }

}  // namespace ethnet::sim
