// `ethnet scope`: what a running node sees, asked over gRPC (proto/ethscope.proto).
#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

namespace ethnet::app {

struct ScopeOptions {
  std::string node = "localhost:31303";  // HOST:PORT of its gRPC
  bool json = false;
  std::uint32_t limit = 16;  // reorganisations
  std::uint64_t after = 0;   // cursor
  bool from_start = false;   // all events that the node still has
  std::uint64_t count = 0;   // events, then it ends; 0: never
};

// The sub-commands. `options` and `status` outlive the parse.
void add_scope(CLI::App& app, ScopeOptions& options, int& status);

}  // namespace ethnet::app
