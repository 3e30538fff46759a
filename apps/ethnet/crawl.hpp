// `ethnet discv5 crawl` and `ethnet discv4 crawl`: the crawler (discovery/crawl) on a socket, its
// census (census/) in a file, and a line that says how far it is.
#pragma once

#include "discv_node.hpp"

namespace ethnet::app {

// The exit code. Ends by a signal, at the time of the options, or when everybody was asked; what it
// found is stored in each case.
[[nodiscard]] int run_crawl(const DiscvOptions& options, DiscvVersion version);

}  // namespace ethnet::app
