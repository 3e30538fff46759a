// Keccak-256 of 32-byte messages (the trie's keys, node ids) and of 600-byte ones (headers) on each
// kernel, beside OpenSSL's SHA3-256, which is the same permutation with another padding.
#include <memory>

#include <base/prng.hpp>
#include <benchmark/benchmark.h>
#include <crypto/keccak.hpp>
#include <openssl/evp.h>

namespace ethnet::crypto {
namespace {

constexpr std::size_t kBatch = 4096;

struct Messages {
  explicit Messages(std::size_t size) : data(kBatch, Bytes(size)), digests(kBatch) {
    Prng prng{1};
    for (Bytes& message : data) {
      for (std::byte& b : message) b = static_cast<std::byte>(prng.next() & 0xff);
      views.push_back(message);
    }
  }
  std::vector<Bytes> data;
  std::vector<ByteView> views;
  std::vector<Digest32> digests;
};

void count(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<std::int64_t>(kBatch) * state.iterations());
  state.counters["time_per_hash"] = benchmark::Counter(
      static_cast<double>(kBatch),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void BM_Keccak(benchmark::State& state, KeccakKernel kernel) {
  if (!is_supported(kernel)) {
    state.SkipWithError("this CPU lacks the instructions");
    return;
  }
  Messages messages{static_cast<std::size_t>(state.range(0))};
  for (auto _ : state) {
    keccak256_many_on(kernel, messages.views, messages.digests);
    benchmark::ClobberMemory();
  }
  count(state);
}

void BM_KeccakMany(benchmark::State& state) {
  Messages messages{static_cast<std::size_t>(state.range(0))};
  for (auto _ : state) {
    keccak256_many(messages.views, messages.digests);
    benchmark::ClobberMemory();
  }
  count(state);
}

// OpenSSL at its best: algorithm fetched once, context reused.
void BM_OpenSslSha3(benchmark::State& state) {
  const std::unique_ptr<EVP_MD, void (*)(EVP_MD*)> algorithm{
      EVP_MD_fetch(nullptr, "SHA3-256", nullptr), EVP_MD_free};
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free};
  Messages messages{static_cast<std::size_t>(state.range(0))};
  EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr);
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      unsigned size = 0;
      EVP_DigestInit_ex2(context.get(), nullptr, nullptr);
      EVP_DigestUpdate(context.get(), messages.views[i].data(), messages.views[i].size());
      EVP_DigestFinal_ex(context.get(),
                         reinterpret_cast<unsigned char*>(messages.digests[i].data()), &size);
    }
    benchmark::ClobberMemory();
  }
  count(state);
}

BENCHMARK(BM_OpenSslSha3)->Arg(32)->Arg(600);
BENCHMARK_CAPTURE(BM_Keccak, portable, KeccakKernel::portable)->Arg(32)->Arg(600);
BENCHMARK_CAPTURE(BM_Keccak, bmi, KeccakKernel::bmi)->Arg(32)->Arg(600);
BENCHMARK_CAPTURE(BM_Keccak, avx2_x4, KeccakKernel::avx2_x4)->Arg(32)->Arg(600);
BENCHMARK_CAPTURE(BM_Keccak, avx512_x4, KeccakKernel::avx512_x4)->Arg(32)->Arg(600);
BENCHMARK_CAPTURE(BM_Keccak, avx512_x8, KeccakKernel::avx512_x8)->Arg(32)->Arg(600);
BENCHMARK(BM_KeccakMany)->Arg(32)->Arg(600);

}  // namespace
}  // namespace ethnet::crypto
