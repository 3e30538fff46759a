// What a STUN server and a NAT-PMP gateway answer: the decoders, and the machines that asked.
#include <base/check.hpp>
#include <base/hex.hpp>
#include <base/secure_rng.hpp>
#include <nat/pmp.hpp>
#include <nat/stun.hpp>

#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

const Endpoint kServer{IpAddress::loopback_v4(), 3'478};

// Draws the transaction id that the input has, so that what follows it is looked at.
class InputRng final : public SecureRng {
 public:
  explicit InputRng(const nat::StunTransaction& id) : id_{id} {}
  void fill(MutByteView out) noexcept override {
    copy_into(out, ByteView{id_}.first(std::min(out.size(), id_.size())));
  }

 private:
  nat::StunTransaction id_;
};

// One answer, then silence: the machine ends each round; who has it asks again.
template <class Client>
void play(Client& client, ByteView answer) {
  Now now{Instant{1}, UnixTime::from_seconds(1)};
  Bytes buffer(kTransmitBufferBytes);
  client.start(now);
  for (int i = 0; i < 40; ++i) {
    while (client.poll_transmit(now, buffer)) {
    }
    const Datagram datagram{{}, kServer, 0, answer};
    if (i % 3 == 0) client.handle_datagrams(now, std::span{&datagram, 1});
    while (client.poll_event()) {
    }
    CHECK(client.next_deadline() > now.mono);
    if (client.next_deadline().is_never()) {
      client.start(now);
      continue;
    }
    now.mono = client.next_deadline();
    client.handle_deadline(now);
  }
}

}  // namespace

void run_stun_answer(ByteView input) {
  nat::StunTransaction id{};
  if (input.size() >= nat::kStunHeaderBytes)
    copy_into(MutByteView{id}, input.subspan(8, id.size()));
  const auto mapped = nat::decode_binding_response(input, id);
  if (mapped) CHECK(mapped->port != 0 && !mapped->ip.is_unspecified());
  if (!mapped) CHECK(mapped.error().offset() <= input.size());
  InputRng rng{id};
  nat::StunClient client{kServer, rng};
  play(client, input);
}

void run_pmp_answer(ByteView input) {
  const auto address = nat::decode_pmp_address(input);
  if (address) CHECK(!address->external.is_unspecified() && address->external.is_v4());
  const auto mapping = nat::decode_pmp_mapping(input);
  if (mapping) CHECK(mapping->external_port != 0 && mapping->lifetime != 0);
  CHECK(!address || !mapping);
  nat::PmpClient client{kServer, {1'000, 2'000}};
  play(client, input);
}

void add_nat_seeds(std::vector<Seed>& out) {
  const auto add = [&](std::string_view target, std::string name, std::string_view hex) {
    out.push_back({target, std::move(name), from_hex(hex).value()});
  };
  // RFC 5769, without what needs a key.
  add("stun_answer", "v4",
      "0101001c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112"
      "a643");
  add("stun_answer", "v6",
      "010100282112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113"
      "a9faa5d3f179bc25f4b5bed2b9d9");
  add("stun_answer", "refusal", "011100002112a442b7e7a701bc34d686fa87dfae");
  add("pmp_answer", "address", "008000000000004dcb007109");
  add("pmp_answer", "mapping", "008100000000004d03e89c4000001c20");
  add("pmp_answer", "refusal", "0080000200000000");
}

}  // namespace ethnet::fuzz
