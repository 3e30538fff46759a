// A peer for tests of who asks by discv5: it proves its identity, and answers FINDNODE, also for
// distance 0, with no record at all.
//
//   nameless_peer       its record on a line; ends with SIGTERM
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <base/check.hpp>
#include <discovery/v5/session/sessions.hpp>
#include <discovery/v5/wire/message.hpp>
#include <fmt/format.h>
#include <machine/concepts.hpp>
#include <runtime/machine_loop.hpp>
#include <runtime/os.hpp>
#include <runtime/stop_signals.hpp>
#include <runtime/udp.hpp>

namespace ethnet {
namespace {

using namespace discv5;

class Nameless {
 public:
  Nameless(std::shared_ptr<const crypto::SecretKey> key, EnrPtr record, SecureRng& rng)
      : sessions_{std::move(key), std::move(record), rng} {}

  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
    for (const Datagram& datagram : batch) {
      PacketBuffer buffer{};
      const auto packet = sessions_.decode(datagram.bytes, buffer);
      if (!packet) continue;
      const auto received = sessions_.handle_packet(now, datagram.remote, *packet);
      if (!received) continue;
      if (const auto* const unknown = std::get_if<Unreadable>(&*received)) {
        send(datagram.remote, sessions_.make_challenge(now, *unknown, nullptr, out_));
      } else if (const auto* const message = std::get_if<MessageReceived>(&*received)) {
        answer(*message);
      }
    }
  }
  void handle_deadline(Now now) noexcept { sessions_.handle_deadline(now); }
  std::optional<Transmit> poll_transmit(Now, MutByteView out) {
    if (sent_.empty()) return std::nullopt;
    const auto [to, bytes] = std::exchange(sent_.back(), {});
    sent_.pop_back();
    copy_into(out.first(bytes.size()), bytes);
    return Transmit{
        .local = {}, .remote = to, .ecn = 0, .size = bytes.size(), .segment_size = bytes.size()};
  }
  std::optional<int> poll_event() { return std::nullopt; }
  [[nodiscard]] Instant next_deadline() const { return sessions_.next_deadline(); }

 private:
  void answer(const MessageReceived& received) {
    const auto message = decode_message(received.plain);
    if (!message) return;
    if (const auto* const find = std::get_if<FindNode>(&*message)) {
      reply(received.from, Nodes{.request_id = find->request_id, .total = 1, .records = {}});
    } else if (const auto* const ping = std::get_if<Ping>(&*message)) {
      reply(received.from, Pong{.request_id = ping->request_id,
                                .enr_seq = ping->enr_seq,
                                .recipient = received.from.at});
    }
  }
  void reply(const Peer& to, const Message& message) {
    PacketBuffer plain{};
    const auto size = encode_message(message, MutByteView{plain}.first(kRoom));
    const auto sealed = sessions_.seal(to, ByteView{plain}.first(size.value()), out_);
    if (sealed) send(to.at, sealed->size);
  }
  void send(const Endpoint& to, std::size_t size) {
    sent_.emplace_back(to, to_bytes(ByteView{out_}.first(size)));
  }

  static constexpr std::size_t kRoom = 1'000;
  Sessions sessions_;
  PacketBuffer out_{};
  std::vector<std::pair<Endpoint, Bytes>> sent_;
};

int run() {
  runtime::StopSignals signals;
  runtime::OsEntropy entropy;
  runtime::UdpSocket socket{Endpoint::parse("127.0.0.1:0").value(), {}};
  const auto key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(entropy));
  EnrBuilder builder{1};
  builder.ip(socket.local().ip).udp(socket.local().port);
  const auto record = std::make_shared<const VerifiedEnr>(builder.sign(*key).value());
  fmt::print("{}\n", record->record().text());
  std::fflush(stdout);
  Nameless peer{key, record, entropy};
  runtime::MachineLoop<Nameless> loop{peer, socket, [](int) {}};
  (void)loop.run([] { return false; }, Instant::never());
  return 0;
}

}  // namespace
}  // namespace ethnet

int main() { return ethnet::run(); }
