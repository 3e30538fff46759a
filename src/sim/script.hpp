// Script: a network and what happens to it, as a scenario file of the simulator says it
// (docs/SIM.md; the reader is src/sim_file). Names are resolved: nodes are HostIds, honest ones
// first. What the file refuses is not asked again here: the runner CHECKs. Threading: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <chain/fork_choice/rule_book.hpp>
#include <node/config.hpp>

#include "hostile/role.hpp"
#include "link.hpp"
#include "world.hpp"

namespace ethnet::sim {

inline constexpr std::size_t kMaxScriptNodes = 128;   // each is a whole node
inline constexpr std::size_t kMaxScriptLinks = 256;   // entries; each may name many pairs
inline constexpr std::size_t kMaxScriptEvents = 512;  // repetitions and what ends them counted
inline constexpr std::size_t kMaxScriptChecks = 128;  // expectations; each may look at every node
inline constexpr std::size_t kMaxScriptLines = 4096;  // of what happened; the report keeps them
inline constexpr Duration kMaxScriptDuration = seconds(24 * 3'600);  // of virtual time
inline constexpr std::uint64_t kMaxScriptForkBlocks = 1024;  // of one injected fork, sealed at once
inline constexpr std::size_t kScriptDataBytes = 24 * 1'024;
inline constexpr std::uint32_t kScriptChunkBytes = 1'024;
inline constexpr std::uint64_t kMaxScriptHeight = 1'000'000;  // more than a day of blocks

struct ScriptNode {
  std::string name;
  std::optional<HostileRole> role;  // nothing: an honest node
  chain::RuleChoice fork_choice;
  node::ProducerConfig producer;
  std::size_t max_peers = 50;
  bool discovery = false;
  bool das = false;
  bool costs = false;  // its work takes virtual time (cost.hpp)
  StoreOptions disk;
  std::vector<HostId> dials;  // of a hostile one: its victims
  Duration starts;
  Duration beat;  // of a hostile one: between two misdeeds
};

// What is sent from each of `from` to each of `to`.
struct ScriptLink {
  std::vector<HostId> from;
  std::vector<HostId> to;
  LinkOptions options;
};

// `blocks` headers on the canonical block at `height`, or `below` the head, of a node; no number of
// blocks: as many as make the branch one block higher than the head.
struct ScriptFork {
  std::optional<std::uint64_t> height;
  std::uint64_t below = 1;
  std::optional<std::uint64_t> blocks;
};

// The canonical block at `height` of a node, when it is asked for.
struct ScriptCheckpoint {
  HostId of = 0;
  std::uint64_t height = 0;
};

struct ScriptEvent {
  enum class What : std::uint8_t {
    partition,
    heal,
    fork,
    crash,
    restart,
    pause,
    resume,
    produce,
    stop,
    release,
    publish,  // kScriptDataBytes of data, drawn
  };
  What what = What::heal;
  Duration at;
  std::vector<HostId> nodes;               // whom it happens to
  std::vector<std::vector<HostId>> sides;  // of a partition: all hosts
  ScriptFork fork;
  // Of a restart: another rule from now on, or that of a checkpoint; what is left of its disk.
  std::optional<chain::RuleChoice> fork_choice;
  std::optional<ScriptCheckpoint> checkpoint;
  std::optional<std::uint64_t> kept_ppm;
  std::string text;      // for people: "crash a1, a2"
  std::size_t line = 0;  // of the file
};

struct ScriptCheck {
  enum class What : std::uint8_t {
    heads_equal,
    heads_differ,  // no two sides have a head in common
    height,
    reorgs,       // that a node told of, in all its lives
    reorg_depth,  // the deepest of them
    forks,        // places where a node saw a branch leave its chain, in all its lives
    peers,
    banned,   // identities that a node has banned, or has and remembers
    sampled,  // samplings of data sets, in all its lives, of which every chunk came
    missed,   // the same, of which some did not
  };
  What what = What::heads_equal;
  Duration at;
  std::vector<std::vector<HostId>> sides;  // but for heads_differ there is one
  std::uint64_t at_least = 0;
  std::uint64_t at_most = UINT64_MAX;
  std::string text;
  std::size_t line = 0;
};

struct Script {
  std::string name;
  std::string about;
  std::uint64_t seed = 1;
  Duration duration;
  chain::RuleBook rules;            // that its nodes can have
  std::vector<ScriptNode> nodes;    // honest ones first
  LinkOptions link;                 // of all that `links` does not name
  std::vector<ScriptLink> links;    // the last that names a pair holds
  std::vector<ScriptEvent> events;  // by time
  std::vector<ScriptCheck> checks;

  [[nodiscard]] std::size_t honest() const {
    std::size_t count = 0;
    while (count < nodes.size() && !nodes[count].role) ++count;
    return count;
  }
};

}  // namespace ethnet::sim
