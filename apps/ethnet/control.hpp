// `ethnet das`, `ethnet peer`, `ethnet stop`, `ethnet lab why`: what changes a running node, or
// makes it work, over its Unix socket (proto/control.proto).
#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

namespace ethnet::app {

struct ControlOptions {
  std::string datadir = "ethnet-data";
  std::string ipc_path;  // empty: ethnet.ipc in the data directory
  bool json = false;
  std::string file;
  std::string output;
  std::string data_id;
  std::string peer;
  std::string block;
  std::uint32_t chunk_size = 0;  // bytes; 0: the node chooses
  std::uint32_t samples = 8;
};

// The sub-commands but `lab why`. `options` and `status` outlive the parse.
void add_control(CLI::App& app, ControlOptions& options, int& status);
void add_lab_why(CLI::App& lab, ControlOptions& options, int& status);

}  // namespace ethnet::app
