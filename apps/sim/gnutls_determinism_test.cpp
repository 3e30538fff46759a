// What the `quic` fidelity rests on: GnuTLS on a thread that runs a world follows from the seed
// alone, whatever ran before, and whenever it is run.
#include <array>
#include <thread>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <gtest/gtest.h>
#include <sim/world.hpp>

#include "process_testing.hpp"

namespace ethnet::sim {
namespace {

// Nonces, random bytes, a key and a key's certificate-sized use of entropy.
std::uint64_t draw_from_gnutls() {
  TraceHash hash;
  std::array<unsigned char, 64> bytes{};
  for (const auto level : {GNUTLS_RND_NONCE, GNUTLS_RND_RANDOM, GNUTLS_RND_KEY}) {
    EXPECT_EQ(gnutls_rnd(level, bytes.data(), bytes.size()), 0);
    hash.add_bytes(std::as_bytes(std::span{bytes}));
  }
  gnutls_x509_privkey_t key = nullptr;
  EXPECT_EQ(gnutls_x509_privkey_init(&key), 0);
  EXPECT_EQ(gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 0, 0), 0);
  gnutls_datum_t x{};
  gnutls_datum_t k{};
  EXPECT_EQ(gnutls_x509_privkey_export_ecc_raw(key, nullptr, &x, nullptr, &k), 0);
  hash.add_bytes(std::as_bytes(std::span{x.data, x.size}));
  hash.add_bytes(std::as_bytes(std::span{k.data, k.size}));
  gnutls_free(x.data);
  gnutls_free(k.data);
  gnutls_x509_privkey_deinit(key);
  return hash.value();
}

std::uint64_t run_world(std::uint64_t seed) {
  std::uint64_t drawn = 0;
  std::thread thread{[&] {
    World world{seed};
    const VirtualOsScope scope{world};
    drawn = draw_from_gnutls();
  }};
  thread.join();
  return drawn;
}

TEST(GnuTlsDeterminism, FollowsFromTheSeedAlone) {
  const std::uint64_t first = run_world(1);
  const std::uint64_t other = run_world(2);
  wait_for_another_second();
  EXPECT_EQ(run_world(1), first);
  EXPECT_EQ(run_world(2), other);
  EXPECT_NE(first, other);
}

TEST(GnuTlsDeterminism, IsRandomWhereNoWorldRuns) {
  std::uint64_t one = 0;
  std::uint64_t two = 0;
  std::thread{[&] { one = draw_from_gnutls(); }}.join();
  std::thread{[&] { two = draw_from_gnutls(); }}.join();
  EXPECT_NE(one, two);
}

}  // namespace
}  // namespace ethnet::sim
