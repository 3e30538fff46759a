// The commands that discv4 and discv5 both have, and how they are written.
#pragma once

#include <string>

#include "discv.hpp"

namespace ethnet::app {

// Each returns the exit code.
struct DiscvCommands {
  using Command = int (*)(const DiscvOptions&);
  Command ping;
  Command request_record;
  Command lookup;
  Command resolve;
  Command listen;
  Command crawl;
};

// Whom to ask, from where, for how long.
void add_asking_flags(CLI::App& command, DiscvOptions& options);
// The group of all commands. `options` and `status` outlive the parse.
CLI::App& add_discv(CLI::App& app, const std::string& name, const std::string& about,
                    const DiscvCommands& commands, DiscvOptions& options, int& status);

}  // namespace ethnet::app
