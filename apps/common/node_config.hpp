// From what the flags say to what a node is told. Looks at nothing else.
#pragma once

#include <node/config.hpp>

#include "node_options.hpp"

namespace ethnet::app {

// Where it listens comes later. Throws std::runtime_error with one clear line.
[[nodiscard]] node::NodeConfig make_config(const NodeOptions& options, Genesis genesis);

}  // namespace ethnet::app
