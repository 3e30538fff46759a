// `ethnet doctor`: what is wrong with a running node's place in the network, and what to do about
// it.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace ethnet::app {

struct DoctorOptions {
  std::string node = "localhost:31303";  // HOST:PORT of its gRPC
  bool json = false;
};

// The sub-command. `options` and `status` outlive the parse.
void add_doctor(CLI::App& app, DoctorOptions& options, int& status);

}  // namespace ethnet::app
