// Keccak-256 beside OpenSSL's, in paired blocks of one run, both in this process:
//
//   paired_bench [--seconds-per-row N] [FILTER]
//
// Implementations in processes of their own: compare_bench.
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <crypto/keccak.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "support/paired.hpp"
#include "support/table.hpp"

namespace ethnet::bench {
namespace {

struct Arguments {
  std::string filter;
  double seconds = 6;
};

struct Case {
  std::string name;
  Side ours;
  Side theirs;
  std::string peer;
  double goal = 0;  // ratio that we want
};

void print(const Case& one, const Options& options) {
  const Comparison c = compare(one.ours, one.theirs, options);
  fmt::print("{}", markdown({.what = one.name,
                             .ours = text_of_ns(c.ours_ns),
                             .peer = one.peer,
                             .theirs = text_of_ns(c.theirs_ns),
                             .ratio = c,
                             .goal = one.goal}));
  std::fflush(stdout);
}

// OpenSSL at its best: algorithm fetched once, context reused.
class OpenSslSha3 {
 public:
  OpenSslSha3()
      : algorithm_{EVP_MD_fetch(nullptr, "SHA3-256", nullptr), EVP_MD_free},
        context_{EVP_MD_CTX_new(), EVP_MD_CTX_free} {
    EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr);
  }
  crypto::Digest32 hash(ByteView data) {
    crypto::Digest32 digest{};
    unsigned size = 0;
    EVP_DigestInit_ex2(context_.get(), nullptr, nullptr);
    EVP_DigestUpdate(context_.get(), data.data(), data.size());
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size);
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD, void (*)(EVP_MD*)> algorithm_;
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

Side sha3_side(std::size_t size) {
  return timed("OpenSSL SHA3-256", steady_clock(),
               [sha3 = std::make_shared<OpenSslSha3>(), data = Bytes(size)](std::uint64_t items) {
                 for (std::uint64_t i = 0; i < items; ++i) {
                   auto digest = sha3->hash(data);
                   benchmark::DoNotOptimize(digest);
                 }
               });
}

Side keccak_side(std::size_t size) {
  return timed("ours", steady_clock(), [data = Bytes(size)](std::uint64_t items) {
    for (std::uint64_t i = 0; i < items; ++i) {
      auto digest = crypto::keccak256(data);
      benchmark::DoNotOptimize(digest);
    }
  });
}

// An item is one hash; they are made eight at a time.
Side keccak_batch_side(std::size_t size, std::optional<crypto::KeccakKernel> kernel) {
  return timed("ours", steady_clock(), [data = Bytes(size), kernel](std::uint64_t items) {
    const std::vector<ByteView> in(8, ByteView{data});
    std::vector<crypto::Digest32> out(8);
    for (std::uint64_t i = 0; i < items; i += 8) {
      if (kernel) {
        crypto::keccak256_many_on(*kernel, in, out);
      } else {
        crypto::keccak256_many(in, out);
      }
      benchmark::ClobberMemory();
    }
  });
}

void add_keccak(std::vector<Case>& rows) {
  const bool avx512 = crypto::cpu_features().avx512;
  for (const std::size_t size : {std::size_t{32}, std::size_t{600}}) {
    rows.push_back({fmt::format("Keccak-256 of {} bytes, single", size), keccak_side(size),
                    sha3_side(size), "OpenSSL SHA3-256", 1.3});
    rows.push_back({fmt::format("Keccak-256 of {} bytes, batch of 8", size),
                    keccak_batch_side(size, {}), sha3_side(size), "OpenSSL SHA3-256, single",
                    avx512 ? 6.0 : 3.0});
    if (avx512) {
      rows.push_back({fmt::format("Keccak-256 of {} bytes, batch of 8, AVX2 forced", size),
                      keccak_batch_side(size, crypto::KeccakKernel::avx2_x4), sha3_side(size),
                      "OpenSSL SHA3-256, single", 3.0});
    }
  }
}

std::string cpu_model() {
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--seconds-per-row" && i + 1 < words.size()) {
      arguments.seconds = std::stod(words[++i]);
    } else if (!words[i].starts_with("-")) {
      arguments.filter = words[i];
    } else {
      throw std::runtime_error("usage: paired_bench [--seconds-per-row N] [FILTER]");
    }
  }
  return arguments;
}

void run(const Arguments& arguments) {
  std::vector<Case> rows;
  add_keccak(rows);
  Options options;
  options.block_ns =
      static_cast<std::uint64_t>(arguments.seconds * 1e9 / static_cast<double>(2 * options.pairs));
  const auto features = crypto::cpu_features();
  fmt::print("CPU: {} (AVX2 {}, AVX-512 {})\n\n", cpu_model(), features.avx2 ? "yes" : "no",
             features.avx512 ? "yes" : "no");
  fmt::print("{}", table_head());
  for (const Case& row : rows) {
    if (row.name.find(arguments.filter) != std::string::npos) print(row, options);
  }
}

}  // namespace
}  // namespace ethnet::bench

int main(int argc, char** argv) {
  try {
    ethnet::bench::run(ethnet::bench::parse({argv + 1, argv + argc}));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "paired_bench: {}\n", error.what());
    return 1;
  }
}
