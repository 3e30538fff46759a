// Inputs to begin with for the machines that are fuzzed by operations (chain.cpp, das.cpp, sync.cpp
// say what a byte means).
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

// Two peers that announce; what is drawn is asked for and given; a get; the same published.
Bytes sampled_data(unsigned options) {
  Bytes out;
  say(out, {options, 0, 0, 5, 0, 5, 2, 5, 1, 5, 2, 5, 0, 7, 3, 7, 30});
  for (unsigned i = 0; i < 10; ++i) say(out, {10, 10, 2, 0, i, 2, 1, i, 3, i % 2, 0});
  say(out, {8, 2, 2, 10, 10});
  for (unsigned i = 0; i < 30; ++i) say(out, {10, 10, 2, i % 2, i, 3, 1, 0});
  say(out, {8, 0, 4, 9, 0, 0, 10, 8, 1, 4, 8, 6, 0, 2, 4, 3, 5, 10, 10, 7, 255, 7, 255});
  return out;
}

// Peers that announce falsely, spoil chunks, ask for much, fall silent and leave.
Bytes unruly_announcers(unsigned options) {
  Bytes out;
  say(out,
      {options, 0, 0, 0, 5, 0, 0, 2, 80, 7, 5, 1, 5, 2, 5, 2, 5, 3, 7, 30, 8, 2, 3, 8, 1, 3, 20});
  for (unsigned i = 0; i < 12; ++i) {
    say(out,
        {10, 0x8b, i, 2, i % 3, i, 0x82 + (i % 3), i % 3, 0, i % 4, i, 6, i % 3, 2, i % 5, i, 15});
    say(out, {5, i % 3, 1, i % 5, 200 + i, 7, 20 * (i % 6), 10, 10, 8, i % 3, i % 5, 9, 9, 0});
  }
  say(out, {1, 0, 7, 255, 6, 0, 4, 0, 9, 1, 2, 3});
  return out;
}

}  // namespace

void add_machine_seeds(std::vector<Seed>& out) {
  out.push_back({"chain_operations", "growing", growing_chain(0)});
  out.push_back({"chain_operations", "growing_lexicographic", growing_chain(1)});
  out.push_back({"chain_operations", "unruly", unruly_chain(0)});
  out.push_back({"chain_operations", "unruly_at_the_limits", unruly_chain(2 | 4 | (5U << 4U))});
  out.push_back({"das_operations", "sampled", sampled_data(1 | (7U << 1U))});
  out.push_back({"das_operations", "sampled_at_the_limits", sampled_data(1 | (7U << 1U) | 0xc0U)});
  out.push_back({"das_operations", "unruly", unruly_announcers(1 | (7U << 1U))});
  out.push_back(
      {"das_operations", "unruly_at_the_limits", unruly_announcers(0xc0U | 1U | (3U << 1U))});
  out.push_back({"sync_operations", "download", download()});
  out.push_back({"sync_operations", "unruly_peers", unruly_peers()});
}

}  // namespace ethnet::fuzz
