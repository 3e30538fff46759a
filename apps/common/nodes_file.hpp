// <datadir>/nodes, and udp-nodes for discv5 and discv4: whom discovery knew, so that a restarted
// node does not begin with strangers. It is a help and never a reason not to start: what cannot be
// read or written is said and passed over.
#pragma once

#include <string>
#include <vector>

#include <base/bytes.hpp>
#include <base/log.hpp>
#include <discovery/kbucket/nodes_file.hpp>

#include "kept_file.hpp"

namespace ethnet::app {

class NodesFile {
 public:
  NodesFile(const std::string& datadir, Log& log, const std::string& name = "nodes")
      : file_{datadir + "/" + name, "The file of known nodes", kbucket::kMaxNodesFileBytes, log},
        log_{log} {}

  // Empty when there is none, or none that can be read. What it says is judged by discovery.
  [[nodiscard]] Bytes read(Now now);
  // `nodes` as Node::saved_nodes() gives them. The old file stays until the new one is there, and
  // once that is said, a process that is killed finds it at its next start.
  void write(ByteView nodes, Now now);
  // Only where it names others than were read or written last: that they were seen again is no
  // news.
  void write_news(ByteView nodes, Now now);

 private:
  // Whom a file names, by their records.
  struct Names {
    std::vector<Bytes> nodes;
    std::vector<Bytes> anchors;
    friend bool operator==(const Names&, const Names&) = default;
  };
  // Nothing where it is no such file.
  [[nodiscard]] static Names names_in(ByteView nodes);
  void write(ByteView nodes, Names names, Now now);

  KeptFile file_;
  Log& log_;
  Names known_;  // of the file
};

}  // namespace ethnet::app
