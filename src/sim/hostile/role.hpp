// Roles of hostile peers, by the names that scenario files use: each an act, and two that say less
// than they could.
#pragma once

#include <array>
#include <string_view>

#include "act.hpp"

namespace ethnet::sim {

enum class Restraint : std::uint8_t {
  none,
  withholds,  // makes its branch, and shows it when it is told to
  idle,       // a session that says nothing, and does all that keeps it
};

struct HostileRole {
  std::string_view name;
  Act act = Act::silence;
  Restraint restraint = Restraint::none;
};

inline constexpr std::array kRoles{
    HostileRole{"withholding", Act::valid_branch, Restraint::withholds},
    HostileRole{"squatter", Act::valid_branch, Restraint::idle},
    HostileRole{"silence", Act::silence},
    HostileRole{"bogus-headers", Act::bogus_headers},
    HostileRole{"unsolicited", Act::unsolicited},
    HostileRole{"endless-branch", Act::endless_branch},
    HostileRole{"valid-branch", Act::valid_branch},
    HostileRole{"future-headers", Act::future_headers},
    HostileRole{"orphans", Act::orphans},
    HostileRole{"bad-signatures", Act::bad_signatures},
    HostileRole{"lying-status", Act::lying_status},
    HostileRole{"request-flood", Act::request_flood},
    HostileRole{"greedy-requests", Act::greedy_requests},
    HostileRole{"ping-flood", Act::ping_flood},
    HostileRole{"garbage-messages", Act::garbage_messages},
    HostileRole{"garbage-frames", Act::garbage_frames},
    HostileRole{"foreign-capability", Act::foreign_capability},
    HostileRole{"wrong-genesis", Act::wrong_genesis},
    HostileRole{"wrong-fork", Act::wrong_fork},
    HostileRole{"nothing-shared", Act::nothing_shared},
    HostileRole{"connect-storm", Act::connect_storm},
    HostileRole{"session-storm", Act::session_storm},
    HostileRole{"mute", Act::mute}};
static_assert(kRoles.size() == kActCount + 2);

}  // namespace ethnet::sim
