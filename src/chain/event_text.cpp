#include "event_text.hpp"

#include <fmt/format.h>

namespace ethnet::chain {
namespace {

std::string list(const std::vector<Hash32>& hashes, const HashLabel& label) {
  const bool cut = hashes.size() > kMaxListed;
  std::string out = "[";
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (cut && i == kListedEnds) {
      const std::size_t left_out = hashes.size() - 2 * kListedEnds;
      out += fmt::format(", ({} more)", left_out);
      i += left_out;
    }
    if (i > 0) out += ", ";
    out += label(hashes[i]);
  }
  return out + "]";
}

}  // namespace

std::string short_label(const Hash32& hash) { return hash.short_hex(); }
std::string full_label(const Hash32& hash) { return hash.hex(); }

std::string fork_line(const ReorgEvent& event, const HashLabel& label) {
  return fmt::format("[FORK] canonical switch {} → {} (height={})", label(event.old_head.hash),
                     label(event.new_head.hash), event.new_head.number);
}

std::string reorg_line(const ReorgEvent& event, const HashLabel& label) {
  return fmt::format("[REORG] fork_point={} depth={} removed={} added={}",
                     label(event.fork_point.hash), event.depth(), list(event.removed, label),
                     list(event.added, label));
}

}  // namespace ethnet::chain
