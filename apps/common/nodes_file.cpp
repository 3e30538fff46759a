#include "nodes_file.hpp"

#include <filesystem>
#include <fstream>

#include <discovery/kbucket/nodes_file.hpp>

#include "files.hpp"

namespace ethnet::app {
namespace {

std::string path_of(const std::string& datadir) { return datadir + "/nodes"; }

void say(Log& log, Now now, const std::string& what) {
  log.write(now, LogLevel::warn, "The file of known nodes", {{"problem", what}});
}

}  // namespace

Bytes read_nodes(const std::string& datadir, Now now, Log& log) {
  const std::string path = path_of(datadir);
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error == std::errc::no_such_file_or_directory) return {};
  if (error) {
    say(log, now, "cannot read " + path + ": " + error.message());
    return {};
  }
  if (size > kbucket::kMaxNodesFileBytes) {
    say(log, now, path + " is too large to be one");
    return {};
  }
  try {
    return read_binary_file(path);
  } catch (const std::exception& failure) {
    say(log, now, failure.what());
    return {};
  }
}

void write_nodes(const std::string& datadir, ByteView nodes, Now now, Log& log) {
  const std::string path = path_of(datadir);
  const std::string fresh = path + ".new";
  std::string text;
  for (const std::byte b : nodes) text.push_back(static_cast<char>(b));
  std::ofstream file{fresh, std::ios::binary | std::ios::trunc};
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return say(log, now, "cannot write " + fresh);
  std::error_code error;
  std::filesystem::rename(fresh, path, error);
  if (error) say(log, now, "cannot write " + path + ": " + error.message());
}

}  // namespace ethnet::app
