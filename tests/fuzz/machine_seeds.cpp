// Inputs to begin with for the machines that are fuzzed by operations (chain.cpp, sync.cpp say what
// a byte means).
#include <initializer_list>

#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

void say(Bytes& out, std::initializer_list<unsigned> operations) {
  for (const unsigned op : operations) out.push_back(static_cast<std::byte>(op));
}

// A chain that grows, forks every few blocks, and is stored at once.
Bytes growing_chain(unsigned options) {
  Bytes out;
  say(out, {options});
  for (unsigned i = 0; i < 12; ++i) {
    say(out, {0, 0, 0, 0, 0, 2, 1, 1, 5, 6});
    if (i % 3 == 2) say(out, {0, 7, 0, 0, 0, 0, 5});
  }
  say(out, {6, 6, 6});
  return out;
}

// Batches upside down, headers that are early or wrong, a store that is late.
Bytes unruly_chain(unsigned options) {
  Bytes out;
  say(out, {options});
  for (unsigned i = 0; i < 8; ++i) {
    say(out, {0, 0, 1, 0, 2, 0, 21, 8, 0, 5, 0xf0, 0, 0, 1, 5, 7, 40, 0, 3, 21, 6, 7, 200});
  }
  return out;
}

// Two peers of a long chain: status, skeleton, segments, imports in order.
Bytes download() {
  Bytes out;
  say(out, {10, 0, 0, 0, 0});
  for (unsigned i = 0; i < 14; ++i) say(out, {9, 9, 9, 2, 0, 0, 2, 1, 0, 7, 0, 2});
  say(out, {6, 120, 1, 0});
  return out;
}

// Peers of three chains that announce, lie, fall silent and leave.
Bytes unruly_peers() {
  Bytes out;
  say(out, {30, 0, 0, 0, 1, 0, 2});
  for (unsigned i = 0; i < 8; ++i) {
    say(out, {9, 9, 0x89, 1, 5, 0, i, 1, 3, 2, 0, i % 3, 0x84, 1, i % 3, 0, i % 4, 7, 0, i});
    say(out, {5, 0, 1, 200 + i, 2, 8, 0, 9, 6, 150, 3, 2, 2});
  }
  say(out, {1, 0, 1, 0});
  return out;
}

}  // namespace

void add_machine_seeds(std::vector<Seed>& out) {
  out.push_back({"chain_operations", "growing", growing_chain(0)});
  out.push_back({"chain_operations", "growing_lexicographic", growing_chain(1)});
  out.push_back({"chain_operations", "unruly", unruly_chain(0)});
  out.push_back({"chain_operations", "unruly_at_the_limits", unruly_chain(2 | 4 | (5U << 4U))});
  out.push_back({"sync_operations", "download", download()});
  out.push_back({"sync_operations", "unruly_peers", unruly_peers()});
}

}  // namespace ethnet::fuzz
