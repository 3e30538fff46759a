// A whole tree out of the DNS: drives dns::Client with the resolver, on one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <apps/common/node_set.hpp>
#include <base/instant.hpp>
#include <discovery/dns/tree.hpp>

namespace ethnet::app {

struct DnsSync {
  dns::Link link;
  std::uint64_t least_seq = 0;  // a lower one is refused
  std::string server;           // empty: the system's
  std::uint32_t rate = 0;       // questions a second
  Duration patience;
};
struct SyncedTree {
  TreeFolder folder;
  std::uint64_t skipped = 0;
  std::uint64_t questions = 0;
};
struct SyncWatcher {
  std::function<void(const std::string& name, const std::string& why)> skipped;
  std::function<void(std::size_t nodes, std::uint64_t questions)> progress;
};

// Throws std::runtime_error with one clear line where there is no root to begin with.
[[nodiscard]] SyncedTree sync_tree(const DnsSync& what, const SyncWatcher& watcher);

}  // namespace ethnet::app
