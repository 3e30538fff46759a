// What transport_bench is when it is the child of itself: a server, or a load on one. Each role
// prints what it measured, one line a figure ("port 40123"), for Child to read.
#pragma once

#include <string>
#include <vector>

namespace ethnet::bench {

// Runs the role that the words name; false when they name none. Roles, with PORT of 127.0.0.1:
//   serve ALPN                 QUIC alone; a stream that says a number gets so many MiB
//   serve-sessions             one session manager; answers messages as the first byte asks
//   fetch PORT MIB             asks for so many MiB on one stream and reads them
//   dial PORT COUNT ALPN       so many handshakes, four at a time, each closed when confirmed
//   dial-sessions PORT COUNT   the same with sessions
//   hold PORT COUNT ALPN       so many connections, kept until its input ends
//   hold-sessions PORT COUNT   the same with sessions
//   send PORT COUNT            so many messages of 100 bytes over one session
//   probe PORT COUNT SECONDS   round trips over so many sessions, each time that a line comes
//   flood PORT RATE            Initials of strangers from many addresses; a line begins, the next
//   ends
[[nodiscard]] bool run_role(const std::vector<std::string>& words);

}  // namespace ethnet::bench
