// `ethnet dns`: lists of nodes in the DNS (EIP-1459), made, checked and read.
#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

namespace ethnet::app {

struct DnsCommandOptions {
  std::string folder;
  std::string key_file;
  std::string domain;
  std::uint64_t seq = 0;
  bool json = false;
  std::string url;
  std::string server;
  std::uint32_t rate = 0;
  double timeout_seconds = 0;
};

// The sub-commands. `options` and `status` outlive the parse.
void add_dns(CLI::App& app, DnsCommandOptions& options, int& status);

}  // namespace ethnet::app
