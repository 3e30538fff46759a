#include "keccak.hpp"

#include <iostream>
#include <memory>

#include <base/hex.hpp>
#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace ethnet::crypto {
namespace {

// --- a slow Keccak written from FIPS 202 alone; shares nothing with ours ---

using Lane = std::uint64_t;
Lane rotl(Lane v, unsigned n) { return n == 0 ? v : (v << n) | (v >> (64 - n)); }

// The constant of iota by its linear feedback shift register (algorithm 5).
bool lfsr_bit(unsigned t) {
  unsigned r = 1;
  for (unsigned i = 0; i < t % 255; ++i) {
    r <<= 1;
    if ((r & 0x100) != 0) r ^= 0x171;
  }
  return (r & 1) != 0;
}

void slow_permute(std::array<std::array<Lane, 5>, 5>& a) {  // a[x][y]
  for (unsigned round = 0; round < 24; ++round) {
    std::array<Lane, 5> c{};
    for (unsigned x = 0; x < 5; ++x) {
      for (unsigned y = 0; y < 5; ++y) c[x] ^= a[x][y];
    }
    for (unsigned x = 0; x < 5; ++x) {
      for (unsigned y = 0; y < 5; ++y) a[x][y] ^= c[(x + 4) % 5] ^ rotl(c[(x + 1) % 5], 1);
    }
    auto turned = a;
    unsigned x = 1;
    unsigned y = 0;
    for (unsigned t = 0; t < 24; ++t) {
      turned[x][y] = rotl(a[x][y], ((t + 1) * (t + 2) / 2) % 64);
      const unsigned next = (2 * x + 3 * y) % 5;
      x = y;
      y = next;
    }
    auto moved = turned;
    for (x = 0; x < 5; ++x) {
      for (y = 0; y < 5; ++y) moved[x][y] = turned[(x + 3 * y) % 5][x];
    }
    for (x = 0; x < 5; ++x) {
      for (y = 0; y < 5; ++y) {
        a[x][y] = moved[x][y] ^ (~moved[(x + 1) % 5][y] & moved[(x + 2) % 5][y]);
      }
    }
    for (unsigned j = 0; j <= 6; ++j) {
      if (lfsr_bit(j + 7 * round)) a[0][0] ^= Lane{1} << ((1U << j) - 1);
    }
  }
}

// pad: 0x01 for Keccak-256, 0x06 for SHA3-256.
Digest32 slow_hash(ByteView data, std::byte pad) {
  Bytes padded = to_bytes(data);
  padded.push_back(pad);
  padded.resize((padded.size() + kKeccakRate - 1) / kKeccakRate * kKeccakRate);
  padded.back() |= std::byte{0x80};
  std::array<std::array<Lane, 5>, 5> a{};
  for (std::size_t start = 0; start < padded.size(); start += kKeccakRate) {
    for (std::size_t i = 0; i < kKeccakRate; ++i) {
      a[i / 8 % 5][i / 40] ^= std::to_integer<Lane>(padded[start + i]) << (8 * (i % 8));
    }
    slow_permute(a);
  }
  Digest32 out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>((a[i / 8 % 5][i / 40] >> (8 * (i % 8))) & 0xff);
  }
  return out;
}

Digest32 openssl_sha3(ByteView data) {
  Digest32 out{};
  unsigned size = 0;
  EXPECT_EQ(EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()),
                       &size, EVP_sha3_256(), nullptr),
            1);
  return out;
}

Bytes random_bytes(Prng& prng, std::size_t size) {
  Bytes out(size);
  for (std::byte& b : out) b = static_cast<std::byte>(prng.next() & 0xff);
  return out;
}

std::vector<Digest32> hash_on(KeccakKernel kernel, const std::vector<Bytes>& messages) {
  const std::vector<ByteView> views{messages.begin(), messages.end()};
  std::vector<Digest32> out(messages.size());
  keccak256_many_on(kernel, views, out);
  return out;
}

std::string_view name_of(KeccakKernel kernel) {
  switch (kernel) {
    case KeccakKernel::portable:
      return "portable";
    case KeccakKernel::bmi:
      return "bmi";
    case KeccakKernel::avx2_x4:
      return "avx2_x4";
    case KeccakKernel::avx512_x4:
      return "avx512_x4";
    case KeccakKernel::avx512_x8:
      return "avx512_x8";
  }
  return "?";
}

constexpr std::size_t kMaxLength = 700;  // over five blocks

// --- tests ---

TEST(Keccak, KnownHashes) {
  EXPECT_EQ(to_hex(keccak256({})),
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(to_hex(keccak256(text_bytes("abc"))),
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  // The hash of the empty list (RLP c0): every block without uncles carries it.
  EXPECT_EQ(to_hex(keccak256(ByteArray<1>{std::byte{0xc0}})),
            "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
}

// The reference proves itself against OpenSSL, with SHA3's padding, before it judges ours.
TEST(Keccak, TheReferenceIsSha3WithAnotherPadding) {
  Prng prng{1};
  for (std::size_t length = 0; length <= 300; ++length) {
    const Bytes message = random_bytes(prng, length);
    ASSERT_EQ(slow_hash(message, std::byte{0x06}), openssl_sha3(message)) << length;
  }
}

TEST(Keccak, EveryLengthOnEveryKernel) {
  Prng prng{2};
  std::vector<Bytes> messages;
  std::vector<Digest32> expected;
  for (std::size_t length = 0; length <= kMaxLength; ++length) {
    messages.push_back(random_bytes(prng, length));
    expected.push_back(slow_hash(messages.back(), std::byte{0x01}));
    ASSERT_EQ(keccak256(messages.back()), expected.back()) << length;
  }
  std::cout << "keccak kernels:";
  std::size_t ran = 0;
  for (const KeccakKernel kernel : kAllKeccakKernels) {
    std::cout << " " << name_of(kernel) << (is_supported(kernel) ? "" : " (not on this CPU)");
    if (!is_supported(kernel)) continue;
    EXPECT_EQ(hash_on(kernel, messages), expected) << name_of(kernel);
    ++ran;
  }
  std::cout << "\n";
  RecordProperty("kernels", static_cast<int>(ran));
  EXPECT_GE(ran, 1U);
}

// Every batch up to 20 messages, twice: equally long ones, at every length around the ends of the
// first three blocks, and mixed ones.
TEST(Keccak, EveryBatchSizeOnEveryKernel) {
  Prng prng{3};
  std::vector<std::size_t> lengths;
  for (const std::size_t end : {std::size_t{0}, kKeccakRate, 2 * kKeccakRate, 3 * kKeccakRate}) {
    for (std::size_t length = end < 2 ? 0 : end - 2; length <= end + 2; ++length) {
      lengths.push_back(length);
    }
  }
  for (std::size_t count = 0; count <= 20; ++count) {
    for (std::size_t turn = 0; turn <= lengths.size(); ++turn) {
      std::vector<Bytes> messages;
      std::vector<Digest32> expected;
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t pick = turn < lengths.size() ? turn : prng.below(lengths.size());
        messages.push_back(random_bytes(prng, lengths[pick]));
        expected.push_back(keccak256(messages.back()));
      }
      for (const KeccakKernel kernel : kAllKeccakKernels) {
        if (!is_supported(kernel)) continue;
        ASSERT_EQ(hash_on(kernel, messages), expected)
            << name_of(kernel) << " " << count << " messages, turn " << turn;
      }
    }
  }
}

// What a machine without AVX-512, AVX2 or BMI would choose, forced here: never a kernel that it
// lacks, and the same digests.
TEST(Keccak, DispatchFitsEveryCpu) {
  Prng prng{4};
  for (int bits = 0; bits < 8; ++bits) {
    const CpuFeatures features{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
    for (std::size_t count = 0; count <= 20; ++count) {
      const KeccakKernel kernel = best_kernel(count, features);
      const bool needs_avx512 =
          kernel == KeccakKernel::avx512_x4 || kernel == KeccakKernel::avx512_x8;
      ASSERT_TRUE(features.avx512 || !needs_avx512);
      ASSERT_TRUE(features.avx2 || kernel != KeccakKernel::avx2_x4);
      ASSERT_TRUE(features.bmi || kernel != KeccakKernel::bmi);
      ASSERT_EQ(kernel == KeccakKernel::portable,
                !features.bmi && (count < 2 || (!features.avx2 && !features.avx512)));
      if (!is_supported(kernel)) continue;
      std::vector<Bytes> messages;
      std::vector<Digest32> expected;
      for (std::size_t i = 0; i < count; ++i) {
        messages.push_back(random_bytes(prng, prng.below(300)));
        expected.push_back(keccak256(messages.back()));
      }
      ASSERT_EQ(hash_on(kernel, messages), expected) << name_of(kernel) << " " << count;
    }
  }
  const CpuFeatures here = cpu_features();
  EXPECT_EQ(here.bmi, is_supported(KeccakKernel::bmi));
  EXPECT_EQ(here.avx2, is_supported(KeccakKernel::avx2_x4));
  EXPECT_EQ(here.avx512, is_supported(KeccakKernel::avx512_x8));
  EXPECT_EQ(best_kernel(5, {true, true, true}), KeccakKernel::avx512_x8);
  EXPECT_EQ(best_kernel(4, {true, true, true}), KeccakKernel::avx512_x4);
  EXPECT_EQ(best_kernel(9, {true, true, false}), KeccakKernel::avx2_x4);
  EXPECT_EQ(best_kernel(1, {true, true, true}), KeccakKernel::bmi);
}

// Batches of every size around the lane counts, with lengths that differ wildly: lanes end at
// different times, are refilled, and the last one finishes alone.
RC_GTEST_PROP(KeccakProperty, KernelsAgreeOnRaggedBatches, (std::uint64_t seed)) {
  Prng prng{seed};
  std::vector<Bytes> messages(prng.below(40));
  for (Bytes& message : messages) {
    message = random_bytes(prng, prng.below(prng.chance_ppm(300'000) ? kMaxLength + 1 : 40));
  }
  std::vector<Digest32> expected;
  for (const Bytes& message : messages) expected.push_back(slow_hash(message, std::byte{0x01}));
  for (const KeccakKernel kernel : kAllKeccakKernels) {
    if (is_supported(kernel)) RC_ASSERT(hash_on(kernel, messages) == expected);
  }
  const std::vector<ByteView> views{messages.begin(), messages.end()};
  std::vector<Digest32> dispatched(messages.size());
  keccak256_many(views, dispatched);
  RC_ASSERT(dispatched == expected);
}

RC_GTEST_PROP(KeccakProperty, PiecesHashAsTheWhole, (std::uint64_t seed)) {
  Prng prng{seed};
  const Bytes message = random_bytes(prng, prng.below(kMaxLength + 1));
  Keccak256 hasher;
  hasher.update(text_bytes("a digest before, to see that finish() starts over"));
  RC_ASSERT(hasher.finish() == keccak256(text_bytes("a digest before, to see that finish() starts "
                                                    "over")));
  ByteView rest{message};
  while (!rest.empty()) {
    const std::size_t size = prng.below(std::min<std::size_t>(rest.size(), 300) + 1);
    hasher.update(rest.first(size));
    rest = rest.subspan(size);
  }
  Keccak256 copy = hasher;
  RC_ASSERT(copy.finish() == keccak256(message));
  RC_ASSERT(hasher.finish() == keccak256(message));
}

TEST(KeccakDeathTest, BatchesMustMatch) {
  const std::array<ByteView, 2> in{};
  std::array<Digest32, 1> out{};
  EXPECT_DEATH(keccak256_many(in, out), "CHECK failed");
}

}  // namespace
}  // namespace ethnet::crypto
