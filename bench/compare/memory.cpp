// What a node of discv5 takes of memory. By the heap: a session and an entry of the table by
// themselves. By the kernel: a whole node, after thousands of others opened a session with it.
#include <sstream>

#include <base/prng.hpp>
#include <discovery/kbucket/table.hpp>
#include <discovery/v5/session/sessions.hpp>
#include <discovery/v5/wire/message.hpp>
#include <fmt/format.h>
#include <runtime/os.hpp>
#include <tests/support/counting_allocator/counting_allocator.hpp>

#include "asker.hpp"
#include "compare.hpp"
#include "server.hpp"

namespace ethnet::bench {
namespace {

using namespace discv5;

struct Identity {
  explicit Identity(SecureRng& rng)
      : key{std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(rng))},
        record{std::make_shared<const VerifiedEnr>(
            EnrBuilder{1}.ip(place.ip).udp(place.port).sign(*key).value())} {}
  Endpoint place{IpAddress::loopback_v4(), 9000};
  std::shared_ptr<const crypto::SecretKey> key;
  EnrPtr record;
};

// A stranger opens a session with the node, and is then forgotten.
void meet(Sessions& sessions, const EnrPtr& record, SecureRng& rng, Now now) {
  const Identity stranger{rng};
  Sessions theirs{stranger.key, stranger.record, rng, {.sessions = 1, .challenges = 1}};
  const Peer node{sessions.self(), stranger.place};
  PacketBuffer in{};
  PacketBuffer out{};
  Unreadable asks{{theirs.self(), stranger.place}, {}};
  rng.fill(asks.nonce);
  std::size_t size = sessions.make_challenge(now, asks, nullptr, out);
  const auto packet = theirs.decode(ByteView{out}.first(size), in);
  const auto challenge = theirs.handle_packet(now, node.at, packet.value());
  const auto& whoareyou = std::get<ChallengeReceived>(challenge.value());
  PacketBuffer plain{};
  const std::size_t ping = encode_message(Ping{RequestId::of(1), 1}, plain).value();
  size =
      theirs
          .answer_challenge(node, record->public_key(), whoareyou, ByteView{plain}.first(ping), out)
          .value()
          .size;
  const auto handshake = sessions.decode(ByteView{out}.first(size), in);
  CHECK(sessions.handle_packet(now, stranger.place, handshake.value()).has_value());
}

double session_bytes(std::size_t count) {
  runtime::OsEntropy entropy;
  const Identity self{entropy};
  const Now now = runtime::os_now();
  Sessions sessions{self.key, self.record, entropy};
  const testing::AllocationMeter meter;
  for (std::size_t i = 0; i < count; ++i) meet(sessions, self.record, entropy, now);
  CHECK(sessions.sessions() == count);
  return static_cast<double>(meter.growth()) / static_cast<double>(count);
}

double table_bytes(std::size_t count, std::size_t& entries) {
  runtime::OsEntropy entropy;
  const Identity self{entropy};
  kbucket::Table table{self.record->node_id()};
  const testing::AllocationMeter meter;
  for (std::size_t i = 0; i < count; ++i) {
    const auto key = crypto::SecretKey::generate(entropy);
    const auto octet = [&](std::size_t shift) { return static_cast<std::byte>(i >> shift); };
    const auto place = IpAddress::v4({std::byte{60}, octet(8), octet(0), std::byte{1}});
    const auto record =
        std::make_shared<const VerifiedEnr>(EnrBuilder{1}.ip(place).udp(9000).sign(key).value());
    (void)table.add(runtime::os_now(), kbucket::NodeRecord::of(record, kbucket::RecordPort::udp),
                    kbucket::Standing::met);
  }
  entries = table.size();
  return static_cast<double>(meter.growth()) / static_cast<double>(entries);
}

void heap_rows(const Compare& compare) {
  const std::string peer = "geth";
  const std::string session = "memory of an idle discv5 session, on the heap";
  if (compare.wants(session)) {
    const std::size_t count = compare.count(1000, 10);
    Row row{.what = session, .ours = text_of_bytes(session_bytes(count)), .peer = "geth v5wire"};
    if (compare.geth) {
      row.theirs =
          text_of_bytes(std::stod(compare.geth->ask(fmt::format("memory.sessions {}", count))));
    }
    print(row);
  }
  const std::string entry = "memory of an entry of the table, those that wait included";
  if (!compare.wants(entry)) return;
  const std::size_t told = compare.count(3000, 30);
  std::size_t entries = 0;
  const double bytes = table_bytes(told, entries);
  Row row{.what = entry,
          .ours = fmt::format("{} ({} entries)", text_of_bytes(bytes), entries),
          .peer = "geth p2p/discover"};
  if (compare.geth) {
    std::istringstream answer{compare.geth->ask(fmt::format("memory.table {}", told))};
    double each = 0;
    std::size_t theirs = 0;
    answer >> each >> theirs;
    row.theirs = fmt::format("{} ({} entries)", text_of_bytes(each), theirs);
  }
  print(row);
}

// Resident bytes before, and when so many have met it.
struct Resident {
  double before = 0;
  double after = 0;
};
Resident resident_after(const std::optional<std::string>& program, std::size_t count) {
  Server server{program};
  LoopbackSocket socket;
  Resident out{static_cast<double>(server.resident_bytes()), 0};
  for (std::uint32_t i = 0; i < count; ++i) Asker{socket, i, server.record()}.meet();
  out.after = static_cast<double>(server.resident_bytes());
  return out;
}

void node_rows(const Compare& compare) {
  const std::size_t count = compare.count(10'000, 10);
  const std::string what = fmt::format("resident bytes of a node that {} others have met", count);
  if (!compare.wants(what)) return;
  const auto text = [](const Resident& r) {
    return fmt::format("{} (alone: {})", text_of_bytes(r.after), text_of_bytes(r.before));
  };
  const OnCore pinned{kAskerCore};
  Row row{.what = what, .ours = text(resident_after({}, count)), .peer = "geth p2p/discover"};
  if (!compare.geth_program.empty()) {
    row.theirs = text(resident_after(compare.geth_program, count));
  }
  print(row);
}

}  // namespace

void memory_rows(const Compare& compare) {
  heap_rows(compare);
  node_rows(compare);
}

}  // namespace ethnet::bench
