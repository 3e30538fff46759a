#include "compare.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <base/hex.hpp>
#include <fmt/format.h>
#include <types/chain_file.hpp>

#include "../support/child.hpp"

namespace ethnet::bench {

Clock cpu_clock() { return thread_cpu_ns; }

void print(const Row& row) {
  fmt::print("{}", markdown(row));
  std::fflush(stdout);
}

void print(const Compare& compare, const Timed& row) {
  if (!compare.wants(row.what)) return;
  const auto theirs = row.theirs();
  Row out{.what = row.what, .ours = {}, .peer = row.peer, .goal = row.goal};
  if (theirs) {
    out.ratio = bench::compare(row.ours, *theirs, compare.options);
    out.ours = text_of_ns(out.ratio->ours_ns);
    out.theirs = text_of_ns(out.ratio->theirs_ns);
  } else {
    out.ours = text_of_ns(measure(row.ours, compare.options));
  }
  print(out);
}

void print_pairs(const Row& row, const std::vector<double>& ours, const std::vector<double>& theirs,
                 std::size_t resamples, const std::function<std::string(double)>& text) {
  Row out = row;
  out.ours = text(median(ours));
  if (!theirs.empty()) {
    out.ratio = compare_values(ours, theirs, resamples);
    out.theirs = text(median(theirs));
  }
  print(out);
}

void must_agree(const std::string& what, const std::string& ours, const std::string& theirs) {
  if (ours == theirs) return;
  throw std::runtime_error(fmt::format("{}: ours is {}, the peer's {}", what, ours, theirs));
}

std::optional<Side> peer_side(PeerProcess* peer, const std::string& area, ByteView data,
                              ByteView expected) {
  if (peer == nullptr) return {};
  peer->load(area, data);
  must_agree(area, to_hex(expected), peer->check(area, area));
  return peer->side("peer", area, area);
}

Bytes read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) throw std::runtime_error(fmt::format("{} cannot be read", path));
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  return to_bytes(text_bytes(text));
}

std::vector<Bytes> amsterdam_headers(const Compare& compare) {
  std::vector<Bytes> out;
  if (!std::filesystem::is_directory(compare.vectors)) return out;
  const Bytes file = read_file(compare.vectors + "/chain_amsterdam/chain.rlp");
  for (ChainFileReader blocks{file}; !blocks.at_end();) {
    out.push_back(to_bytes(blocks.next().value().header));
  }
  return out;
}

}  // namespace ethnet::bench
