// What a hostile peer does, one act each. All of them speak QUIC and TLS as everybody does; most
// speak the session honestly up to the handshake, too, and misbehave then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ethnet::sim {

enum class Act : std::uint8_t {
  silence,             // tells of a high head and answers nothing
  bogus_headers,       // answers with headers that link to nothing
  unsolicited,         // answers what nobody asked
  endless_branch,      // a long branch that never meets the chain, ever longer
  valid_branch,        // a branch of its own that obeys the rules, by one block a beat
  future_headers,      // right but for their time, which is an hour ahead
  orphans,             // announces blocks whose parents nobody has
  bad_signatures,      // announces blocks that their producers did not sign
  lying_status,        // tells of heads of any number, again and again, and announces any hash
  request_flood,       // asks for everything at once
  greedy_requests,     // the same, and reads no answer
  ping_flood,          // more pings than a peer may send
  garbage_messages,    // payloads of anything
  garbage_frames,      // control frames of anything
  foreign_capability,  // speaks a capability that was not agreed
  wrong_genesis,       // is of another chain
  wrong_fork,          // is of the same chain, after a fork that nobody knows
  nothing_shared,      // offers capabilities that nobody has
  connect_storm,       // connects and closes, without a word
  session_storm,       // becomes a session and leaves, at once and again
  mute,                // connects and never speaks
};

struct ActRow {
  Act act = Act::silence;
  std::string_view reached;   // the name under which a run notes that it was done
  std::string_view answer{};  // and what nodes then come to, where that is certain
};
inline constexpr std::array kActs{
    ActRow{Act::silence, "hostile: silence", "a mini-sync request timed out"},
    ActRow{Act::bogus_headers, "hostile: bogus headers", "a breach of protocol ended a session"},
    ActRow{Act::unsolicited, "hostile: unsolicited answers",
           "a breach of protocol ended a session"},
    ActRow{Act::endless_branch, "hostile: an endless branch"},
    ActRow{Act::valid_branch, "hostile: a branch of its own"},
    ActRow{Act::future_headers, "hostile: headers of the future", "an early header was parked"},
    ActRow{Act::orphans, "hostile: orphans"},
    ActRow{Act::bad_signatures, "hostile: bad signatures", "a bad signature was found"},
    ActRow{Act::lying_status, "hostile: lies about heads",
           "an announcement too many was forgotten"},
    ActRow{Act::request_flood, "hostile: a flood of requests"},
    ActRow{Act::greedy_requests, "hostile: requests without reading"},
    ActRow{Act::ping_flood, "hostile: a flood of pings", "a flood of pings ended a session"},
    ActRow{Act::garbage_messages, "hostile: garbage messages",
           "a breach of protocol ended a session"},
    ActRow{Act::garbage_frames, "hostile: garbage frames", "a breach of protocol ended a session"},
    ActRow{Act::foreign_capability, "hostile: a foreign capability",
           "a foreign capability ended a session"},
    ActRow{Act::wrong_genesis, "hostile: another genesis", "another genesis was refused"},
    ActRow{Act::wrong_fork, "hostile: another fork", "another fork was refused"},
    ActRow{Act::nothing_shared, "hostile: nothing shared", "nothing shared was refused"},
    ActRow{Act::connect_storm, "hostile: a storm of connections"},
    ActRow{Act::session_storm, "hostile: a storm of sessions"},
    ActRow{Act::mute, "hostile: never a word", "a handshake was given up, inbound"}};
inline constexpr std::size_t kActCount = kActs.size();
static_assert(kActCount == static_cast<std::size_t>(Act::mute) + 1);

}  // namespace ethnet::sim
