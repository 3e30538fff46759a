// The flags of a node, in groups. A flag that the command line leaves open is read from its
// environment variable (--log.format is ETHNET_LOG_FORMAT), then from the file that --config names,
// then has its default.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "node_options.hpp"

namespace ethnet::app {

inline constexpr std::size_t kMaxConfigBytes = 256 * 1024;  // of a --config file; read whole
// Of --identity: with the rest of the client name well below session::kMaxClientBytes.
inline constexpr std::size_t kMaxIdentityBytes = 32;
// Each opens a table inside another, which is left by recursion.
inline constexpr std::size_t kMaxDotsInALine = 2048;

// Where a value comes from that the command line leaves open.
struct FlagSources {
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::function<std::string(const std::string& path)> read_file;
};

class NodeFlags {
 public:
  // `options`: the defaults, and where the values go. Both must outlive this.
  NodeFlags(CLI::App& app, NodeOptions& options);

  // After app.parse(): environment and file. Throws std::runtime_error with one clear line.
  void complete();
  void complete(const FlagSources& sources);

 private:
  struct Flag {
    std::string name;  // without the dashes
    CLI::Option* option = nullptr;
  };

  template <class T>
  CLI::Option* add(const std::string& name, const std::string& type, T& value,
                   const std::string& help, const std::string& group);
  CLI::Option* add_switch(const std::string& name, bool& value, const std::string& help,
                          const std::string& group);
  void add_files(NodeOptions& o);
  void add_network(NodeOptions& o);
  void add_chain(NodeOptions& o);
  void add_watching(NodeOptions& o);
  void add_rest(NodeOptions& o);
  [[nodiscard]] bool is_given(const std::string& name) const;
  void read_environment(const FlagSources& sources);
  void read_file(const std::string& path, const std::string& text);

  CLI::App& app_;
  NodeOptions& options_;
  std::string config_file_;
  std::vector<Flag> flags_;
};

}  // namespace ethnet::app
