// <datadir>/nodes: whom discovery knew, so that a restarted node does not begin with strangers. It
// is a help and never a reason not to start: what cannot be read or written is said and passed
// over.
#pragma once

#include <string>

#include <base/bytes.hpp>
#include <base/log.hpp>

namespace ethnet::app {

// Empty when there is none, or none that can be read. What it says is judged by discovery.
[[nodiscard]] Bytes read_nodes(const std::string& datadir, Now now, Log& log);
// The old file stays until the new one is there.
void write_nodes(const std::string& datadir, ByteView nodes, Now now, Log& log);

}  // namespace ethnet::app
