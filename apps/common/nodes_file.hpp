// <datadir>/nodes: whom discovery knew, so that a restarted node does not begin with strangers. It
// is a help and never a reason not to start: what cannot be read or written is said and passed
// over.
#pragma once

#include <string>
#include <vector>

#include <base/bytes.hpp>
#include <base/log.hpp>

namespace ethnet::app {

class NodesFile {
 public:
  NodesFile(const std::string& datadir, Log& log) : path_{datadir + "/nodes"}, log_{log} {}

  // Empty when there is none, or none that can be read. What it says is judged by discovery.
  [[nodiscard]] Bytes read(Now now);
  // `nodes` as Node::saved_nodes() gives them. The old file stays until the new one is there, and
  // once that is said, a process that is killed finds it at its next start.
  void write(ByteView nodes, Now now);
  // Only where it names others than were read or written last: that they were seen again is no
  // news.
  void write_news(ByteView nodes, Now now);

 private:
  void say(Now now, const std::string& problem);

  std::string path_;
  Log& log_;
  std::vector<Bytes> known_;  // records of the file, sorted; the anchors' follow
};

}  // namespace ethnet::app
