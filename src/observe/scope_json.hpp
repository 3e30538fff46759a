// What EthScope tells, as JSON of proto/ethscope.proto (message_json.hpp), for who does not speak
// gRPC. Pure functions of a snapshot or of the log. Limits: those of snapshot, log and answer.
#pragma once

#include <cstddef>
#include <string>

#include <node/snapshot.hpp>

#include "event_log.hpp"

namespace ethnet::observe {

// `cursor`: of the newest event.
[[nodiscard]] std::string summary_json(const node::NodeSnapshot& snapshot, std::uint64_t cursor);
[[nodiscard]] std::string peers_json(const node::NodeSnapshot& snapshot);
[[nodiscard]] std::string fork_tree_json(const node::NodeSnapshot& snapshot);
[[nodiscard]] std::string data_sets_json(const node::NodeSnapshot& snapshot);
[[nodiscard]] std::string refusals_json(const node::NodeSnapshot& snapshot);
[[nodiscard]] std::string reorgs_json(const EventLog::Reorgs& reorgs);
[[nodiscard]] std::string event_json(const LoggedEvent& event);
// What was missed before the event that `next` gives. CHECK: there is one.
[[nodiscard]] std::string gap_json(const EventLog::Next& next);
// Name and value of each counter that is not 0.
[[nodiscard]] std::string counters_json(const node::NodeSnapshot& snapshot);

}  // namespace ethnet::observe
