// Bugs that the scenarios of whole nodes can be given, one for each checker: a checker that does
// not find its bug checks nothing. Either the node is really wrong, or, where a node cannot be made
// wrong from outside, the checkers are told what is not so. Tests only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ethnet::sim {

enum class PlantedBug : std::uint8_t {
  none,
  forgets_last_record,  // a restarted node gets all its records but the last
  other_rule,           // nodes choose the lexicographic head
  left_checkpoint,      // nodes choose the longest chain, where a checkpoint allows genesis alone
  short_reorgs,         // told: reorganisations without the first removed block
  lost_reorgs,          // told: none of them
  doubled_session,      // told: two sessions with one identity
  foreign_message,      // told: a message of eth/68, which nobody offers
  full_queue,           // told: a queue above its limit
  shared_blame,         // told: an honest node is banned
  never_dials,          // nodes know nobody: a bug against liveness
  offers_less,          // nodes are told of fewer capabilities than the checkers
  stays,                // nobody says goodbye at the end: another against liveness
  short_lookups,        // look-ups are told without the nearest that was found: another
};

// Those against safety, each with the name of the checker that must find it.
struct PlantedBugRow {
  PlantedBug bug;
  std::string_view found_by;
};
inline constexpr std::array kPlantedBugs{
    PlantedBugRow{PlantedBug::forgets_last_record, "what is acknowledged survives"},
    PlantedBugRow{PlantedBug::other_rule, "head follows the rule"},
    PlantedBugRow{PlantedBug::left_checkpoint, "head follows the rule"},
    PlantedBugRow{PlantedBug::short_reorgs, "events replay"},
    PlantedBugRow{PlantedBug::lost_reorgs, "events replay"},
    PlantedBugRow{PlantedBug::doubled_session, "one session an identity"},
    PlantedBugRow{PlantedBug::foreign_message, "only what was agreed"},
    PlantedBugRow{PlantedBug::full_queue, "queues within limits"},
    PlantedBugRow{PlantedBug::shared_blame, "nobody honest is banned"},
};

}  // namespace ethnet::sim
