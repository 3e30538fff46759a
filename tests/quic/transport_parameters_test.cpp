// Attack 67: transport parameters of any bytes, up to 64 KiB, to a server. ETHNET_PARAMETER_CASES
// says how many; the sanitizers judge with us.
#include <cstdlib>
#include <string>

#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <tests/support/raw_quic/raw_quic.hpp>

namespace ethnet::testing {
namespace {

constexpr std::uint64_t kTransportParameter = 0x08;
constexpr std::size_t kMaxParameters = 65'000;  // with the rest of a hello 64 KiB

std::size_t cases() {
  const char* wanted = std::getenv("ETHNET_PARAMETER_CASES");
  return wanted == nullptr ? 600 : std::stoul(wanted);
}

Bytes random_bytes(Prng& prng, std::size_t n) {
  Bytes out(n);
  for (std::byte& b : out) b = static_cast<std::byte>(prng.below(256));
  return out;
}

// Mostly small numbers, where limits are; sometimes any.
std::uint64_t random_number(Prng& prng) {
  const std::uint64_t bits = prng.below(63);
  return prng.next() & ((std::uint64_t{1} << bits) - 1);
}

// Parameters that mean something, changed: other values, twice, left out, unknown ones between.
Bytes structured(Prng& prng, ByteView scid) {
  Parameters parameters = Parameters::honest(scid);
  const std::uint64_t changes = prng.below(6);
  for (std::uint64_t i = 0; i < changes; ++i) {
    const std::uint64_t id = prng.below(8) == 0 ? random_number(prng) : prng.below(0x21);
    switch (prng.below(4)) {
      case 0:
        parameters.number(id, random_number(prng));
        break;
      case 1:
        parameters.bytes(id, random_bytes(prng, prng.below(64)));
        break;
      case 2:
        parameters.remove(id);
        break;
      default:
        parameters.repeat(id);
        break;
    }
  }
  return parameters.encode();
}

// The same with bytes changed, cut off, or followed by up to 64 KiB.
Bytes damaged(Prng& prng, ByteView scid) {
  Bytes out = structured(prng, scid);
  const std::uint64_t flips = prng.below(4);
  for (std::uint64_t i = 0; i < flips && !out.empty(); ++i) {
    out[prng.below(out.size())] = static_cast<std::byte>(prng.below(256));
  }
  if (prng.below(3) == 0) out.resize(prng.below(out.size() + 1));
  if (prng.below(8) == 0) append(out, random_bytes(prng, prng.below(kMaxParameters - out.size())));
  return out;
}

TEST(TransportParameters, atk_67_AnyBytesOpenOrCloseWithTheirError) {
  Prng prng{67};
  std::size_t opened = 0;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < cases(); ++i) {
    RawQuic peer{quic::EndpointConfig{}};
    const Bytes parameters =
        prng.below(2) == 0 ? structured(prng, peer.scid()) : damaged(prng, peer.scid());
    const bool open = peer.connect(parameters);
    ASSERT_LT(peer.memory(), 256U * 1024) << "case " << i;
    if (open) {
      ++opened;
      peer.endpoint().close(peer.now(), peer.conn(), 0, "");
    } else {
      ++refused;
      // Anything but an error of the parameters would be an accident.
      ASSERT_EQ(peer.closed_with(), kTransportParameter) << "case " << i;
    }
    peer.wait(seconds(40));
    ASSERT_EQ(peer.endpoint().connection_count(), 0U) << "case " << i;
    ASSERT_EQ(peer.endpoint().half_open_count(), 0U) << "case " << i;
  }
  std::printf("transport parameters: %zu opened, %zu refused\n", opened, refused);
  EXPECT_GT(opened, cases() / 20);
  EXPECT_GT(refused, cases() / 20);
}

}  // namespace
}  // namespace ethnet::testing
