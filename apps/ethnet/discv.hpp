// `ethnet discv5` and `ethnet discv4`: the discovery networks of Ethereum, asked by hand. Each
// command is a node of its own, for as long as it takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace ethnet::app {

struct DiscvOptions {
  std::string node;                    // who is asked: enr:… or enode://…@…
  std::string key_file;                // empty: a fresh key
  std::string address = "0.0.0.0:0";   // of the socket
  std::vector<std::string> bootnodes;  // whom a look-up begins with
  std::string target;                  // of a look-up; empty: any
  std::string protocol;                // of TALKREQ
  std::string request;                 // its bytes, hexadecimal
  std::uint32_t timeout_seconds = 30;

  // Of a crawl.
  std::string census;                 // a file of SQLite
  std::string nodes_file;             // a set of nodes to begin with; empty: none
  std::string json_file;              // what is written at the end; empty: nothing
  std::string csv_file;               // the same
  std::uint32_t crawl_seconds = 0;    // 0: until everybody was asked
  std::uint32_t recheck_seconds = 0;  // 0: as the crawler has it
  std::uint64_t max_nodes = 0;        // 0: as many as it can
  bool goes_on = false;
  std::string serve;                    // IP:PORT; empty: nowhere
  std::vector<std::string> http_hosts;  // names of ours besides localhost; "*": any
};

// The sub-commands. `options` and `status` outlive the parse.
void add_discv5(CLI::App& app, DiscvOptions& options, int& status);
void add_discv4(CLI::App& app, DiscvOptions& options, int& status);

}  // namespace ethnet::app
