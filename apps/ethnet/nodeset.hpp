// `ethnet nodeset`: sets of nodes in JSON files, looked at and filtered; `ethnet forkid`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

namespace ethnet::app {

struct NodeSetOptions {
  std::string file;
  std::uint64_t limit = 0;
  std::string ip;  // ADDRESS/BITS
  double min_age_seconds = 0;
  std::string network;
  bool snap = false;
  bool dialable = false;
};

struct ForkIdOptions {
  std::string network;
  std::string genesis;  // a file
  std::uint64_t head = 0;
  std::uint64_t time = 0;
};

// The sub-commands. `options` and `status` outlive the parse.
void add_nodeset(CLI::App& app, NodeSetOptions& options, int& status);
void add_forkid(CLI::App& app, ForkIdOptions& options, int& status);

}  // namespace ethnet::app
