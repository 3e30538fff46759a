// The comparison table of docs/PERFORMANCE.md: ours beside a peer, paired blocks of one run.
//
//   paired_bench [--peer-geth PROGRAM] [--seconds-per-row N] [FILTER]
//
// OpenSSL is compared in this process, go-ethereum in its own (bench/compare/geth). Without a
// peer's program its rows say so; nothing is estimated. Bytes must agree before time counts.
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <base/hex.hpp>
#include <benchmark/benchmark.h>
#include <crypto/keccak.hpp>
#include <crypto/secp256k1.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <types/enr.hpp>
#include <types/header_view.hpp>

#include "support/paired.hpp"
#include "support/peer_process.hpp"

namespace ethnet::bench {
namespace {

struct Arguments {
  std::optional<std::string> geth;
  std::string filter;
  double seconds = 6;
};

struct Row {
  std::string name;
  Side ours;
  std::optional<Side> theirs;  // nothing: the peer's program was not given
  std::string peer;
  double goal = 0;  // ratio that we want; 0: none was set
};

void print_head() {
  fmt::print("| what | ours | peer | its figure | ratio (95 %) | goal | verdict |\n");
  fmt::print("|---|---|---|---|---|---|---|\n");
}

void print(const Row& row, const Options& options) {
  if (!row.theirs) {
    fmt::print("| {} | {:.0f} ns | {} | not run: its program was not given | | | |\n", row.name,
               measure(row.ours, options), row.peer);
    return;
  }
  const Comparison c = compare(row.ours, *row.theirs, options);
  fmt::print("| {} | {:.0f} ns | {} | {:.0f} ns | {:.2f}x ({:.2f}–{:.2f}) | {} | {} |\n", row.name,
             c.ours_ns, row.peer, c.theirs_ns, c.ratio, c.low, c.high,
             row.goal > 0 ? fmt::format("{:.1f}x", row.goal) : "",
             row.goal > 0 ? text(judge(c, row.goal)) : "");
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

void add_keccak(std::vector<Row>& rows) {
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

// A header with every field up to Prague, 600 bytes or so.
Header sample_header() {
  Header header;
  header.number = 19'000'000;
  header.gas_limit = 30'000'000;
  header.gas_used = 12'345'678;
  header.timestamp = 1'700'000'000;
  header.extra_data = Bytes(32, std::byte{7});
  header.logs_bloom.fill(std::byte{0x5a});
  header.base_fee_per_gas = Uint256{};
  header.withdrawals_root = Hash32{};
  header.blob_gas_used = 131'072;
  header.excess_blob_gas = 393'216;
  header.parent_beacon_block_root = Hash32{};
  header.requests_hash = Hash32{};
  return header;
}

void must_agree(const std::string& what, const std::string& ours, const std::string& theirs) {
  if (ours != theirs) {
    throw std::runtime_error(fmt::format("{}: ours is {}, the peer's {}", what, ours, theirs));
  }
}

std::optional<Side> geth_side(PeerProcess* geth, const std::string& area, ByteView data,
                              ByteView expected) {
  if (geth == nullptr) return {};
  geth->load(area, data);
  must_agree(area, to_hex(expected), geth->check(area, area));
  return geth->side("geth", area, area);
}

void add_headers(std::vector<Row>& rows, PeerProcess* geth) {
  const Bytes encoded = sample_header().encode();
  rows.push_back({fmt::format("header of {} bytes: decode in place", encoded.size()),
                  timed("ours", steady_clock(),
                        [encoded](std::uint64_t items) {
                          for (std::uint64_t i = 0; i < items; ++i) {
                            auto header = HeaderView::decode(encoded);
                            benchmark::DoNotOptimize(header);
                          }
                        }),
                  geth_side(geth, "header_decode", encoded, Hash32{}.view()), "geth core/types",
                  0});
  rows.push_back({fmt::format("header of {} bytes: decode in place and hash", encoded.size()),
                  timed("ours", steady_clock(),
                        [encoded](std::uint64_t items) {
                          for (std::uint64_t i = 0; i < items; ++i) {
                            auto header = HeaderView::decode(encoded);
                            auto hash = crypto::keccak256(encoded);
                            benchmark::DoNotOptimize(header);
                            benchmark::DoNotOptimize(hash);
                          }
                        }),
                  geth_side(geth, "header_decode_hash", encoded, crypto::keccak256(encoded)),
                  "geth core/types", 0});
}

void add_records(std::vector<Row>& rows, PeerProcess* geth) {
  const auto key = crypto::SecretKey::from_bytes(Bytes(32, std::byte{1})).value();
  const auto record = EnrBuilder{1}.udp(30303).sign(key).value();
  const Bytes encoded{record.record().encoded().begin(), record.record().encoded().end()};
  rows.push_back({"node record (ENR): decode and verify",
                  timed("ours", steady_clock(),
                        [encoded](std::uint64_t items) {
                          for (std::uint64_t i = 0; i < items; ++i) {
                            auto verified = VerifiedEnr::decode(encoded);
                            benchmark::DoNotOptimize(verified);
                          }
                        }),
                  geth_side(geth, "enr_decode_verify", encoded, record.node_id().view()),
                  "geth p2p/enode", 0});
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
    if (words[i] == "--peer-geth" && i + 1 < words.size()) {
      arguments.geth = words[++i];
    } else if (words[i] == "--seconds-per-row" && i + 1 < words.size()) {
      arguments.seconds = std::stod(words[++i]);
    } else if (!words[i].starts_with("-")) {
      arguments.filter = words[i];
    } else {
      throw std::runtime_error(
          "usage: paired_bench [--peer-geth PROGRAM] [--seconds-per-row N] [FILTER]");
    }
  }
  return arguments;
}

void run(const Arguments& arguments) {
  std::unique_ptr<PeerProcess> geth;
  if (arguments.geth) geth = std::make_unique<PeerProcess>(*arguments.geth);
  std::vector<Row> rows;
  add_keccak(rows);
  add_headers(rows, geth.get());
  add_records(rows, geth.get());
  Options options;
  options.block_ns =
      static_cast<std::uint64_t>(arguments.seconds * 1e9 / static_cast<double>(2 * options.pairs));
  const auto features = crypto::cpu_features();
  fmt::print("CPU: {} (AVX2 {}, AVX-512 {})\n\n", cpu_model(), features.avx2 ? "yes" : "no",
             features.avx512 ? "yes" : "no");
  print_head();
  for (const Row& row : rows) {
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
