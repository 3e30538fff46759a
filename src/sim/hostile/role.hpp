// Roles of hostile peers, by the names that scenario files use: each an act, and three that have a
// session like everybody's and another manner.
#pragma once

#include <array>
#include <string_view>

#include "act.hpp"

namespace ethnet::sim {

enum class Manner : std::uint8_t {
  plain,
  withholds,     // makes its branch, and shows it when it is told to
  idle,          // a session that says nothing, and does all that keeps it
  false_chunks,  // announces data, and answers with other bytes
};

struct HostileRole {
  std::string_view name;
  Act act = Act::silence;
  Manner manner = Manner::plain;
};

inline constexpr std::array kRoles{
    HostileRole{"withholding", Act::valid_branch, Manner::withholds},
    HostileRole{"squatter", Act::valid_branch, Manner::idle},
    HostileRole{"chunk-liar", Act::valid_branch, Manner::false_chunks},
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
static_assert(kRoles.size() == kActCount + 3);

}  // namespace ethnet::sim
