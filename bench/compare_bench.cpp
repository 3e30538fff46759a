// The comparison table of docs/PERFORMANCE.md: discovery, headers and hashes beside the
// implementations of other people, each by a driver in its own language (compare/), in paired
// blocks of one run. `./dev bench compare` builds and finds the drivers.
//
//   compare_bench [--peer-geth PROGRAM] [--peer-chainsafe SCRIPT] [--peer-ethereumjs SCRIPT]
//                 [--vectors DIR] [--dir DIR] [--pairs N] [--smoke] [FILTER]
//   compare_bench serve KEY     the server of the rows with a socket
//
// A peer that was not given is not run, and its rows say so; nothing is estimated. --smoke does
// everything once with tiny counts: bytes have to agree, times say nothing.
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <crypto/keccak.hpp>
#include <fmt/format.h>

#include "compare/compare.hpp"
#include "compare/server.hpp"

namespace ethnet::bench {
namespace {

std::string cpu_model() {
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::unique_ptr<PeerProcess> script(const std::string& path) {
  return std::make_unique<PeerProcess>(std::vector<std::string>{"node", path});
}

// True when the word takes the next one as its value.
bool set_option(Compare& compare, const std::string& word, const std::string& value) {
  if (word == "--peer-geth") {
    compare.geth_program = value;
    compare.geth = std::make_unique<PeerProcess>(std::vector<std::string>{value});
  } else if (word == "--peer-chainsafe") {
    compare.chainsafe = script(value);
  } else if (word == "--peer-ethereumjs") {
    compare.ethereumjs = script(value);
  } else if (word == "--vectors") {
    compare.vectors = value;
  } else if (word == "--dir") {
    compare.directory = value;
  } else if (word == "--pairs") {
    compare.options.pairs = std::stoul(value);
  } else {
    return false;
  }
  return true;
}

Compare parse(const std::vector<std::string>& words) {
  Compare out{.options = {.pairs = 16, .block_ns = 100'000'000, .resamples = 2000},
              .vectors = "../shared/vectors",
              .directory = "."};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--smoke") {
      out.smoke = true;
      out.options = {.pairs = 2, .block_ns = 1, .resamples = 10};
    } else if (words[i].starts_with("--")) {
      if (i + 1 == words.size() || !set_option(out, words[i], words[i + 1])) {
        throw std::runtime_error(fmt::format("not an option, or without its value: {}", words[i]));
      }
      ++i;
    } else {
      out.filter = words[i];
    }
  }
  return out;
}

void run(const Compare& compare) {
  const auto features = crypto::cpu_features();
  fmt::print("CPU: {} (AVX2 {}, AVX-512 {})\n\n", cpu_model(), features.avx2 ? "yes" : "no",
             features.avx512 ? "yes" : "no");
  fmt::print("{}", table_head());
  codec_rows(compare);
  primitive_rows(compare);
  import_rows(compare);
  serving_rows(compare);
  memory_rows(compare);
}

}  // namespace
}  // namespace ethnet::bench

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 2 && words[0] == "serve") return ethnet::bench::serve(words[1]);
    ethnet::bench::run(ethnet::bench::parse(words));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "compare_bench: {}\n", error.what());
    return 1;
  }
}
