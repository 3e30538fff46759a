// From what the flags say to what a node is told. Looks at nothing else.
#pragma once

#include <functional>
#include <string>

#include <node/config.hpp>

#include "files.hpp"
#include "node_options.hpp"

namespace ethnet::app {

// Where it listens comes later. Throws std::runtime_error with one clear line.
// What a rule reads of a file (`checkpoint:FILE`) is read by `read_file`.
[[nodiscard]] node::NodeConfig make_config(
    const NodeOptions& options, Genesis genesis,
    const std::function<std::string(const std::string& path)>& read_file = read_text_file);

}  // namespace ethnet::app
