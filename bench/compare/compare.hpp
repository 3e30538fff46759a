// What the rows of compare_bench have in common: whom they are compared with, how long, and where
// they go. Each file beside this one measures one area; ../compare_bench.cpp says how to call it.
//
// Time is CPU time: ours of the thread that works, a peer's of its whole process, its collector
// included. Before anything is timed both have to agree on bytes; must_agree() ends the run.
// Threading: everything on the calling thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <base/bytes.hpp>

#include "../support/paired.hpp"
#include "../support/peer_process.hpp"
#include "../support/table.hpp"

namespace ethnet::bench {

struct Compare {
  Options options;
  bool smoke = false;  // everything once, with tiny counts: do bytes agree?
  std::string filter{};
  std::string vectors{};    // the folder shared/vectors
  std::string directory{};  // for stores, on the disk to be measured
  std::string geth_program{};
  std::unique_ptr<PeerProcess> geth{};  // null: it is not there, as the others
  std::unique_ptr<PeerProcess> chainsafe{};
  std::unique_ptr<PeerProcess> ethereumjs{};

  [[nodiscard]] bool wants(const std::string& what) const {
    return what.find(filter) != std::string::npos;
  }
  [[nodiscard]] std::size_t count(std::size_t full, std::size_t tiny) const {
    return smoke ? tiny : full;
  }
};

// A row of nanoseconds an item; `theirs` is asked for when the row is wanted and nothing else.
struct Timed {
  std::string what;
  std::string peer;
  double goal = 0;
  Side ours;
  std::function<std::optional<Side>()> theirs;
};
void print(const Compare& compare, const Timed& row);
void print(const Row& row);
// Of figures where less is better, taken pair by pair. `text`: a figure in words.
void print_pairs(const Row& row, const std::vector<double>& ours, const std::vector<double>& theirs,
                 std::size_t resamples, const std::function<std::string(double)>& text);

// Throws std::runtime_error when they differ.
void must_agree(const std::string& what, const std::string& ours, const std::string& theirs);
// The peer's side of an area, after it agreed with `expected`; nothing where it is not there.
[[nodiscard]] std::optional<Side> peer_side(PeerProcess* peer, const std::string& area,
                                            ByteView data, ByteView expected);
// A side that runs here, by this thread's CPU time: f(i) for each item.
template <class F>
[[nodiscard]] Side own_side(F f);

// The headers of the chain file, encoded; nothing where the folder is not there.
[[nodiscard]] std::vector<Bytes> amsterdam_headers(const Compare& compare);
// Throws where it cannot be read.
[[nodiscard]] Bytes read_file(const std::string& path);

void primitive_rows(const Compare& compare);
void codec_rows(const Compare& compare);
void import_rows(const Compare& compare);
void serving_rows(const Compare& compare);
void memory_rows(const Compare& compare);

[[nodiscard]] Clock cpu_clock();

template <class F>
Side own_side(F f) {
  return timed("ours", cpu_clock(), [f](std::uint64_t items) {
    for (std::uint64_t i = 0; i < items; ++i) f(i);
  });
}

}  // namespace ethnet::bench
